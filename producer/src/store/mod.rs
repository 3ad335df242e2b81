//! The SQL, a file a table: one text for SQLite and PostgreSQL.

pub mod accounts;
pub mod attempts;
pub mod batches;
pub mod clock;
pub mod deliveries;
pub mod devices;
pub mod endpoints;
pub mod failures;
pub mod ids;
pub mod limits;
pub mod log;
pub mod made;
mod marks;
pub mod offers;
mod places;
pub mod presence;
pub mod profile;
pub mod queue;
pub mod record;
pub mod registrations;
pub mod resets;
pub mod subscribers;
pub mod subscriptions;
pub mod totals;
pub mod triggered;

use std::future::Future;

use common::db::{Db, Kind};
use sqlx::{AnyConnection, AssertSqlSafe, migrate::Migrator};

use marks::Marks;

/// The tables of this service.
pub static MIGRATIONS: Migrator = sqlx::migrate!();

/// Tries before a deadlock is told.
const TRIES: usize = 3;

/// What a store function comes to.
pub type Result<T> = sqlx::Result<T>;

/// The producer's database.
#[derive(Clone)]
pub struct Store {
    pub db: Db,
    marks: Marks,
}

impl Store {
    #[must_use]
    pub fn new(db: Db) -> Self {
        Self { db, marks: Marks::default() }
    }

    /// Drops every table.
    pub async fn drop_all(&self) -> Result<()> {
        let tables = match self.db.kind {
            Kind::Sqlite => "select name from sqlite_master where type = 'table' and name not like 'sqlite_%'",
            Kind::Postgres => "select cast(tablename as text) from pg_tables where schemaname = current_schema()",
        };
        let mut tx = self.db.write.begin().await?;
        let mut left: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *tx).await?;
        // Those that others refer to go last.
        left.sort_by_key(|name| DROPPED_LAST.iter().position(|last| last == name).map_or(0, |place| place + 1));
        for name in left {
            sqlx::query(AssertSqlSafe(format!("drop table \"{name}\""))).execute(&mut *tx).await?;
        }
        tx.commit().await
    }
}

/// The tables that others refer to, in the order in which they can go.
const DROPPED_LAST: [&str; 4] = ["deliveries", "endpoints", "batches", "messages"];

/// Takes the row lock of a batch, the first lock of every transaction that touches deliveries of a batch: two of them cannot wait for each other.
///
/// `false`: there is no such batch.
async fn lock(connection: &mut AnyConnection, batch: &str) -> sqlx::Result<bool> {
    let locked = sqlx::query("update batches set seq = seq where id = $1").bind(batch).execute(connection).await?;
    Ok(locked.rows_affected() == 1)
}

/// Does it again when PostgreSQL broke a deadlock at its cost: what was asked for by hand should not fail for that.
async fn patiently<T, F: Future<Output = Result<T>>>(mut attempt: impl FnMut() -> F) -> Result<T> {
    for _ in 0..TRIES {
        match attempt().await {
            Err(error) if is_deadlock(&error) => tracing::debug!(%error, "trying again"),
            ended => return ended,
        }
    }
    attempt().await
}

fn is_deadlock(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(sqlx::error::DatabaseError::code).is_some_and(|code| code == "40P01")
}

/// Splits rows into what one statement takes each; `size_bytes` is about what a row weighs on the way.
fn chunks<T>(rows: &[T], size_bytes: impl Fn(&T) -> usize) -> impl Iterator<Item = &[T]> {
    let mut rest = rows;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (chunk, tail) = rest.split_at(common::db::fitting(rest, &size_bytes));
        rest = tail;
        Some(chunk)
    })
}

/// A count of rows or attempts as the database writes it.
fn int(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_lose_nothing() {
        for count in [0usize, 1, 2, 3, 63, 64, 65, 100, 200] {
            let rows: Vec<usize> = (0..count).collect();
            let parts: Vec<&[usize]> = chunks(&rows, |_| 500).collect();
            assert!(parts.iter().all(|part| part.len().is_power_of_two()));
            assert_eq!(parts.concat(), rows);
        }
    }
}
