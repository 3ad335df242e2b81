//! The requests that were not let in: the newest of each source, and how many there ever were.

use std::collections::BTreeMap;

use sqlx::{AnyConnection, Row, any::AnyRow};
use uuid::Uuid;

use common::db::Db;

/// What is kept of one source, and of all together.
const MAX_OF_ONE: i64 = 200;
const MAX_OF_ALL: i64 = 5000;

/// A request that was not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Empty: no source of the name in the path is configured.
    pub source: String,
    pub at_ms: i64,
    /// What it was answered with.
    pub status: i64,
    /// A word for the kind of reason.
    pub kind: String,
    /// What exactly is wrong, for the operator.
    pub reason: String,
    /// Method, path, peer and headers, as JSON, without secrets.
    pub request: String,
    /// Its first bytes, as text.
    pub body: String,
    /// How many bytes there were.
    pub size: i64,
    /// How many followed in the same moment and are not kept.
    pub more: i64,
}

/// How many of a source were ever rejected, and when the last one was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Total {
    pub total: i64,
    pub last_ms: i64,
}

/// Adds to what is kept and to the totals in one commit, and forgets what is beyond the bounds.
///
/// # Errors
/// When the database fails; nothing is added then.
pub async fn add(db: &Db, rejected: Vec<Rejected>, totals: &BTreeMap<String, Total>) -> sqlx::Result<()> {
    let mut transaction = db.write.begin().await?;
    for (source, total) in totals {
        count(&mut transaction, source, *total).await?;
    }
    for row in rejected {
        insert(&mut transaction, row).await?;
    }
    for source in totals.keys() {
        let text = "delete from rejected where source = $1 and id <= \
                    (select id from rejected where source = $1 order by id desc limit 1 offset $2)";
        sqlx::query(text).bind(source.clone()).bind(MAX_OF_ONE).execute(&mut *transaction).await?;
    }
    let text = "delete from rejected where id <= (select id from rejected order by id desc limit 1 offset $1)";
    sqlx::query(text).bind(MAX_OF_ALL).execute(&mut *transaction).await?;
    transaction.commit().await
}

async fn count(connection: &mut AnyConnection, source: &str, more: Total) -> sqlx::Result<()> {
    let text = "insert into rejections (source, total, last_ms) values ($1, $2, $3) \
                on conflict (source) do update set total = rejections.total + excluded.total, last_ms = excluded.last_ms";
    let query = sqlx::query(text).bind(source.to_owned()).bind(more.total).bind(more.last_ms);
    query.execute(connection).await.map(drop)
}

async fn insert(connection: &mut AnyConnection, row: Rejected) -> sqlx::Result<()> {
    let text = "insert into rejected (id, source, at_ms, status, kind, reason, request, body, size, more) \
                values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)";
    let query = sqlx::query(text).bind(Uuid::now_v7().to_string()).bind(row.source).bind(row.at_ms).bind(row.status);
    let query = query.bind(row.kind).bind(row.reason).bind(row.request).bind(row.body).bind(row.size).bind(row.more);
    query.execute(connection).await.map(drop)
}

/// The newest of a source that are kept, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn newest(db: &Db, source: &str, limit: i64) -> sqlx::Result<Vec<Rejected>> {
    let text = "select source, at_ms, status, kind, reason, request, body, size, more from rejected \
                where source = $1 order by id desc limit $2";
    let query = sqlx::query(text).bind(source.to_owned()).bind(limit);
    query.fetch_all(&db.read).await?.iter().map(rejected).collect()
}

/// How many of each source were ever rejected.
///
/// # Errors
/// When the database fails.
pub async fn totals(db: &Db) -> sqlx::Result<BTreeMap<String, Total>> {
    let rows = sqlx::query("select source, total, last_ms from rejections").fetch_all(&db.read).await?;
    let total = |row: &AnyRow| Ok((row.try_get(0)?, Total { total: row.try_get(1)?, last_ms: row.try_get(2)? }));
    rows.iter().map(total).collect()
}

fn rejected(row: &AnyRow) -> sqlx::Result<Rejected> {
    Ok(Rejected {
        source: row.try_get(0)?,
        at_ms: row.try_get(1)?,
        status: row.try_get(2)?,
        kind: row.try_get(3)?,
        reason: row.try_get(4)?,
        request: row.try_get(5)?,
        body: row.try_get(6)?,
        size: row.try_get(7)?,
        more: row.try_get(8)?,
    })
}
