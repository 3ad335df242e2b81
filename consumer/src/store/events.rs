//! The events of the log, read by place, by id, or by what is asked.

use sqlx::{Row, any::AnyRow};

use common::db::Db;

use crate::event::{Event, Rank, Record, Repeated, Shown};

pub(super) const COLUMNS: &str = "log_offset, id, source, priority, received_ms, request, body, shown, device";
/// What is read beside them: it changes after the event was appended.
pub(super) const REPEATS: &str = "repeats, repeated_ms";

/// As it stands in its column.
pub(super) fn written(shown: &Shown) -> Option<String> {
    if shown.is_empty() { None } else { serde_json::to_string(shown).ok() }
}

/// The offsets of the oldest event that is kept and of the newest; `(1, 0)` when there is none. Both survive a power cut: who goes on from there misses nothing.
///
/// # Errors
/// When the database fails.
pub async fn span(db: &Db) -> sqlx::Result<(i64, i64)> {
    let text = "select log.head, (select min(log_offset) from events) from log where log.name = 'events'";
    let row = sqlx::query(text).fetch_one(&db.read).await?;
    db.durable.flush().await?;
    let head: i64 = row.try_get(0)?;
    let tail: Option<i64> = row.try_get(1)?;
    Ok((tail.unwrap_or(head + 1), head))
}

/// Events with an offset above `since`, in order, at most `limit`.
///
/// # Errors
/// When the database fails.
pub async fn since(db: &Db, since: i64, limit: i64) -> sqlx::Result<Vec<Event>> {
    find(db, &Search { since, limit, ..Search::default() }).await
}

/// The newest events after the offset that were repeated, newest first, at most 60.
///
/// # Errors
/// When the database fails.
pub async fn repeated_since(db: &Db, since: i64) -> sqlx::Result<Vec<Repeated>> {
    let text = "select log_offset, repeats, repeated_ms from events where log_offset > $1 and repeats > 0 order by log_offset desc limit 60";
    let rows = sqlx::query(text).bind(since).fetch_all(&db.read).await?;
    rows.iter()
        .map(|row| Ok(Repeated { offset: row.try_get(0)?, repeats: row.try_get(1)?, repeated_ms: row.try_get(2)? }))
        .collect()
}

/// What is asked of the log.
#[derive(Clone, Debug)]
pub struct Search {
    /// Only offsets above this one.
    pub since: i64,
    /// Only offsets below this one.
    pub before: i64,
    pub newest_first: bool,
    pub limit: i64,
    pub source: Option<String>,
    pub ranks: Vec<Rank>,
    /// A part of the body, whatever its case.
    pub text: Option<String>,
}

impl Default for Search {
    fn default() -> Self {
        Self {
            since: 0,
            before: i64::MAX,
            newest_first: false,
            limit: 100,
            source: None,
            ranks: Vec::new(),
            text: None,
        }
    }
}

/// The events that match; they survive a power cut.
///
/// # Errors
/// When the database fails.
pub async fn find(db: &Db, search: &Search) -> sqlx::Result<Vec<Event>> {
    let ranks: Vec<_> = search.ranks.iter().map(|rank| rank.index().to_string()).collect();
    let ranks = if ranks.is_empty() { String::new() } else { format!("and priority in ({})", ranks.join(",")) };
    let order = if search.newest_first { "desc" } else { "asc" };
    let text = format!(
        "select {COLUMNS}, {REPEATS} from events where log_offset > $1 and log_offset < $2 and ($4 = '' or source = $4) \
         and ($5 = '' or lower(body) like $5 escape '!' or lower(body) like $6 escape '!') {ranks} order by log_offset {order} limit $3"
    );
    let part = search.text.as_deref();
    let query = sqlx::query(sqlx::AssertSqlSafe(text))
        .bind(search.since)
        .bind(search.before)
        .bind(search.limit)
        .bind(search.source.clone().unwrap_or_default())
        .bind(part.map(|part| pattern(&part.to_lowercase())).unwrap_or_default())
        // SQLite's lower() knows the letters of ASCII only.
        .bind(part.map(|part| pattern(&part.to_ascii_lowercase())).unwrap_or_default());
    let rows = query.fetch_all(&db.read).await?;
    db.durable.flush().await?;
    rows.iter().map(event).collect()
}

/// `%part%`, with the pattern's own signs taken as they are.
pub(super) fn pattern(part: &str) -> String {
    let plain = part.replace('!', "!!").replace('%', "!%").replace('_', "!_");
    format!("%{plain}%")
}

/// The event of an id, or of an offset written as `@7`; `None` when there is none (any more).
///
/// # Errors
/// When the database fails.
pub async fn named(db: &Db, name: &str) -> sqlx::Result<Option<Event>> {
    match name.strip_prefix('@').and_then(|offset| offset.parse().ok()) {
        Some(offset) => at(db, offset).await,
        None => by_id(db, name).await,
    }
}

/// The event of this id, the newest when several sources sent the same; `None` when there is none (any more).
///
/// # Errors
/// When the database fails.
async fn by_id(db: &Db, id: &str) -> sqlx::Result<Option<Event>> {
    let text = format!("select {COLUMNS}, {REPEATS} from events where id = $1 order by log_offset desc limit 1");
    let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(id.to_owned()).fetch_optional(&db.read).await?;
    db.durable.flush().await?;
    row.as_ref().map(event).transpose()
}

/// The event at this offset; `None` when it is not kept any more, or is still to come.
///
/// # Errors
/// When the database fails.
async fn at(db: &Db, offset: i64) -> sqlx::Result<Option<Event>> {
    let search =
        Search { since: offset.saturating_sub(1), before: offset.saturating_add(1), limit: 1, ..Search::default() };
    Ok(find(db, &search).await?.pop())
}

pub(super) fn event(row: &AnyRow) -> sqlx::Result<Event> {
    let record = Record {
        offset: row.try_get(0)?,
        id: row.try_get(1)?,
        source: row.try_get::<String, _>(2)?.into(),
        rank: row.try_get::<i64, _>(3)?.into(),
        received_ms: row.try_get(4)?,
        request: row.try_get::<String, _>(5)?.into(),
        body: row.try_get(6)?,
        shown: row
            .try_get::<Option<String>, _>(7)?
            .and_then(|json| serde_json::from_str(&json).ok())
            .unwrap_or_default(),
        device: row.try_get(8)?,
        repeats: row.try_get(9)?,
        repeated_ms: row.try_get(10)?,
    };
    Ok(record.into())
}
