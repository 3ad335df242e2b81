//! A database that fails is told of once, however many meet it, and once more when it works again.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{self, Next},
    response::Response,
};
use tokio::time::{self, Instant};

use crate::{db::Db, time::now_ms};

/// How often it is looked whether the database works again.
const LOOK_AGAIN: Duration = Duration::from_millis(500);
/// A database that takes longer to answer does not work.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Whether the database fails at the moment; a clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Outage(Arc<AtomicBool>);

/// Why a request was answered 503; it goes with the response to who has the database, see [`told`].
#[derive(Clone, Debug)]
pub struct Failed(pub Arc<sqlx::Error>);

impl From<sqlx::Error> for Failed {
    fn from(error: sqlx::Error) -> Self {
        Self(Arc::new(error))
    }
}

impl Db {
    /// Tells of a statement that failed, and what that means for who wanted it.
    ///
    /// Of an outage only the first is told. Then it is looked until the database works again, and that is told too.
    pub fn failed(&self, error: &sqlx::Error, meaning: &str) {
        if !is_outage(error) {
            tracing::warn!(%error, "{meaning}");
        } else if self.outage.0.swap(true, Ordering::Relaxed) {
            tracing::debug!(%error, "{meaning}");
        } else {
            tracing::error!(%error, "{meaning}; the database fails, and this is said once until it works again");
            tokio::spawn(look_again(self.clone()));
        }
    }

    /// Whether the database answers, and takes what is written if it lately did not.
    pub async fn works(&self) -> bool {
        let asked =
            async { self.ping().await.is_ok() && (!self.outage.0.load(Ordering::Relaxed) || self.takes().await) };
        time::timeout(TIMEOUT, asked).await.unwrap_or(false)
    }

    /// Whether it takes what is written: one that reads well may have no room.
    async fn takes(&self) -> bool {
        let sql = "insert into settings (name, value) values ('written', $1) on conflict (name) do update set value = excluded.value";
        sqlx::query(sql).bind(now_ms().to_string()).execute(&self.write).await.is_ok()
    }
}

/// Until it works, or this process has closed it.
async fn look_again(db: Db) {
    let begun = Instant::now();
    while !db.write.is_closed() {
        time::sleep(LOOK_AGAIN).await;
        if db.works().await {
            db.outage.0.store(false, Ordering::Relaxed);
            return tracing::info!(after = ?begun.elapsed(), "the database works again");
        }
    }
}

/// Tells the database's outage of every request that met it.
pub fn told(router: Router, db: &Db) -> Router {
    router.layer(middleware::from_fn_with_state(db.clone(), tell))
}

async fn tell(State(db): State<Db>, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    if let Some(Failed(error)) = response.extensions_mut().remove() {
        db.failed(&error, "a request is answered 503");
    }
    response
}

/// Whether it is the database that fails, and not what was asked of it.
fn is_outage(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => true,
        sqlx::Error::Database(error) => error.code().is_some_and(|code| says_outage(&code)),
        _ => false,
    }
}

/// PostgreSQL's classes: connection, no such database, resources, an operator, the system; and a lock or a transaction that somebody left standing.
/// SQLite's numbers: busy, locked, read only, input and output, full, cannot open.
fn says_outage(code: &str) -> bool {
    match code.parse::<u32>() {
        Ok(number) if code.len() < 5 => [5, 6, 8, 10, 13, 14].contains(&(number & 0xff)),
        _ => {
            ["08", "3D", "53", "57", "58"].iter().any(|class| code.starts_with(class))
                || ["25P03", "55P03"].contains(&code)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_from_a_statement_that_is_wrong() {
        assert!(is_outage(&sqlx::Error::PoolTimedOut));
        assert!(!is_outage(&sqlx::Error::RowNotFound));
        // SQLite: full, cannot write; a key that is there. PostgreSQL: full, shut down, a lock not given; a deadlock, a key that is there.
        let cases = [("13", true), ("778", true), ("1555", false), ("2067", false)];
        let on_postgres =
            [("53100", true), ("57P01", true), ("55P03", true), ("40P01", false), ("23505", false), ("42601", false)];
        for (code, expected) in cases.into_iter().chain(on_postgres) {
            assert_eq!(says_outage(code), expected, "{code}");
        }
    }
}
