//! The audit: who did what, from where, and how it went; the newest of it.

use sqlx::{AnyConnection, Row as _, any::AnyRow};
use uuid::Uuid;

use common::db::Db;

use super::super::events::pattern;

const MAX_KEPT: i64 = 10_000;

/// One line of the audit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    pub at_ms: i64,
    /// The name of a key, `admin`, or empty: nobody we know.
    pub who: String,
    pub from: String,
    /// A word such as `call` or `key.create`.
    pub what: String,
    /// What it was done to: an event id, or a name.
    pub subject: String,
    /// What it was answered with.
    pub status: i64,
    pub detail: String,
    /// Empty: nothing was executed.
    pub execution: String,
}

/// Adds a line, and forgets what is beyond the bound.
///
/// # Errors
/// When the database fails.
pub async fn add(db: &Db, entry: Entry) -> sqlx::Result<()> {
    let mut transaction = db.write.begin().await?;
    insert(&mut transaction, entry).await?;
    let text = "delete from audit where id <= (select id from audit order by id desc limit 1 offset $1)";
    sqlx::query(text).bind(MAX_KEPT).execute(&mut *transaction).await?;
    transaction.commit().await
}

/// Adds a line within a transaction.
pub(super) async fn insert(connection: &mut AnyConnection, entry: Entry) -> sqlx::Result<()> {
    let text = "insert into audit (id, at_ms, who, called_from, what, subject, status, detail, execution) \
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
    let query = sqlx::query(text).bind(Uuid::now_v7().to_string()).bind(entry.at_ms).bind(entry.who).bind(entry.from);
    let query = query.bind(entry.what).bind(entry.subject).bind(entry.status).bind(entry.detail);
    query.bind(entry.execution).execute(connection).await.map(drop)
}

/// The newest lines first; `text` is looked for in all of their texts, whatever its case.
///
/// # Errors
/// When the database fails.
pub async fn newest(db: &Db, text: &str, limit: i64) -> sqlx::Result<Vec<Entry>> {
    let query = "select at_ms, who, called_from, what, subject, status, detail, execution from audit \
                 where lower(who || ' ' || called_from || ' ' || what || ' ' || subject || ' ' || detail || ' ' || execution) like $1 escape '!' \
                 order by id desc limit $2";
    let query = sqlx::query(query).bind(pattern(&text.to_ascii_lowercase())).bind(limit);
    query.fetch_all(&db.read).await?.iter().map(entry).collect()
}

fn entry(row: &AnyRow) -> sqlx::Result<Entry> {
    Ok(Entry {
        at_ms: row.try_get(0)?,
        who: row.try_get(1)?,
        from: row.try_get(2)?,
        what: row.try_get(3)?,
        subject: row.try_get(4)?,
        status: row.try_get(5)?,
        detail: row.try_get(6)?,
        execution: row.try_get(7)?,
    })
}
