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

/// A line as it is read: its id is its place in time.
#[derive(Clone, Debug)]
pub struct Line {
    pub id: String,
    pub entry: Entry,
}

/// Which lines are asked for; what is empty or `None` asks for all.
#[derive(Clone, Debug, Default)]
pub struct Search {
    /// Looked for in all of their texts, whatever its case.
    pub text: String,
    /// How the word for what was done begins.
    pub what: String,
    /// Only what was not answered with success.
    pub is_refused: bool,
    pub since_ms: Option<i64>,
    pub until_ms: Option<i64>,
    /// The id of a line: only older ones.
    pub before: String,
    pub limit: i64,
}

/// Later than anything.
const NEVER: i64 = i64::MAX;
const REFUSED: i64 = 400;

/// The newest lines of a search first.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &Db, search: &Search) -> sqlx::Result<Vec<Line>> {
    let texts =
        "lower(who || ' ' || called_from || ' ' || what || ' ' || subject || ' ' || detail || ' ' || execution)";
    let query = format!(
        "select at_ms, who, called_from, what, subject, status, detail, execution, id from audit \
                 where ({texts} like $1 escape '!' or {texts} like $8 escape '!') \
                 and what like $2 escape '!' and status >= $3 and at_ms >= $4 and at_ms <= $5 and ($6 = '' or id < $6) \
                 order by id desc limit $7"
    );
    let what = pattern(&search.what).replacen('%', "", 1);
    let query = sqlx::query(sqlx::AssertSqlSafe(query)).bind(pattern(&search.text.to_lowercase())).bind(what);
    let query = query.bind(if search.is_refused { REFUSED } else { 0 }).bind(search.since_ms.unwrap_or(0));
    let query = query.bind(search.until_ms.unwrap_or(NEVER)).bind(search.before.clone()).bind(search.limit);
    // SQLite's lower() knows the letters of ASCII only.
    let query = query.bind(pattern(&search.text.to_ascii_lowercase()));
    let rows = query.fetch_all(&db.read).await?;
    rows.iter().map(|row| Ok(Line { id: row.try_get(8)?, entry: entry(row)? })).collect()
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
