//! The API keys that call actions.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use common::db::Db;

/// A key as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    pub id: String,
    pub name: String,
    pub key_sha256: String,
    /// The key itself, sealed for its id.
    pub sealed: String,
    /// The event ids it may call; `None`: all.
    pub event_ids: Option<Vec<String>>,
    pub expires_ms: Option<i64>,
    pub rate_per_minute: i64,
    /// Calls it is good for; `None`: any number.
    pub max_uses: Option<i64>,
    pub uses: i64,
    pub last_used_ms: Option<i64>,
    pub last_used_from: Option<String>,
    pub created_ms: i64,
}

const COLUMNS: &str = "id, name, key_sha256, sealed, event_ids, expires_ms, rate_per_minute, max_uses, uses, last_used_ms, last_used_from, created_ms";

/// Every key, by name.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> sqlx::Result<Vec<Key>> {
    let text = format!("select {COLUMNS} from api_keys order by name");
    sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&db.read).await?.iter().map(key).collect()
}

/// The key with this hash; `None`: there is none.
///
/// # Errors
/// When the database fails.
pub async fn by_hash(db: &Db, key_sha256: &str) -> sqlx::Result<Option<Key>> {
    one(db, "key_sha256", key_sha256).await
}

/// The key with this id; `None`: there is none.
///
/// # Errors
/// When the database fails.
pub async fn by_id(db: &Db, id: &str) -> sqlx::Result<Option<Key>> {
    one(db, "id", id).await
}

async fn one(db: &Db, column: &'static str, value: &str) -> sqlx::Result<Option<Key>> {
    let text = format!("select {COLUMNS} from api_keys where {column} = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(value.to_owned()).fetch_optional(&db.read).await?;
    row.as_ref().map(key).transpose()
}

/// Stores the key, unless there are `max` of them; false: its name is taken, or there are.
///
/// # Errors
/// When the database fails.
pub async fn add(db: &Db, new: Key, max: i64) -> sqlx::Result<bool> {
    let text = "insert into api_keys (id, name, key_sha256, sealed, event_ids, expires_ms, rate_per_minute, max_uses, created_ms) \
                select $1, $2, $3, $4, $5, $6, $7, $8, $9 where (select count(*) from api_keys) < $10 on conflict do nothing";
    let event_ids = list(new.event_ids);
    let query = sqlx::query(text).bind(new.id).bind(new.name).bind(new.key_sha256).bind(new.sealed).bind(event_ids);
    let query = query.bind(new.expires_ms).bind(new.rate_per_minute).bind(new.max_uses).bind(new.created_ms).bind(max);
    Ok(query.execute(&db.write).await?.rows_affected() > 0)
}

/// What of a key can be changed.
#[derive(Clone, Debug)]
pub struct Change {
    pub name: String,
    pub event_ids: Option<Vec<String>>,
    pub expires_ms: Option<i64>,
    pub rate_per_minute: i64,
    pub max_uses: Option<i64>,
}

/// Changes the key; false: there is none, or another one has the name.
///
/// # Errors
/// When the database fails.
pub async fn change(db: &Db, id: &str, new: Change) -> sqlx::Result<bool> {
    let text = "update api_keys set name = $2, event_ids = $3, expires_ms = $4, rate_per_minute = $5, max_uses = $6 \
                where id = $1 and not exists (select 1 from api_keys other where other.name = $2 and other.id <> $1)";
    let query = sqlx::query(text).bind(id.to_owned()).bind(new.name).bind(list(new.event_ids));
    let query = query.bind(new.expires_ms).bind(new.rate_per_minute).bind(new.max_uses);
    Ok(query.execute(&db.write).await?.rows_affected() > 0)
}

fn list(event_ids: Option<Vec<String>>) -> Option<String> {
    event_ids.and_then(|ids| serde_json::to_string(&ids).ok())
}

/// Forgets the key; `None`: there was none. Gives its name.
///
/// # Errors
/// When the database fails.
pub async fn remove(db: &Db, id: &str) -> sqlx::Result<Option<String>> {
    let text = "delete from api_keys where id = $1 returning name";
    sqlx::query_scalar(text).bind(id.to_owned()).fetch_optional(&db.write).await
}

/// Counts a use, in the transaction of what it is used for; false: the key is gone, or used up.
pub(super) async fn spend(connection: &mut AnyConnection, id: &str, (at_ms, from): (i64, &str)) -> sqlx::Result<bool> {
    let text = "update api_keys set uses = uses + 1, last_used_ms = $2, last_used_from = $3 \
                where id = $1 and (max_uses is null or uses < max_uses)";
    let query = sqlx::query(text).bind(id.to_owned()).bind(at_ms).bind(from.to_owned());
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

fn key(row: &AnyRow) -> sqlx::Result<Key> {
    let event_ids: Option<String> = row.try_get(4)?;
    // A list that cannot be read lets nothing through.
    let event_ids = event_ids.map(|ids| serde_json::from_str(&ids).unwrap_or_default());
    Ok(Key {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        key_sha256: row.try_get(2)?,
        sealed: row.try_get(3)?,
        event_ids,
        expires_ms: row.try_get(5)?,
        rate_per_minute: row.try_get(6)?,
        max_uses: row.try_get(7)?,
        uses: row.try_get(8)?,
        last_used_ms: row.try_get(9)?,
        last_used_from: row.try_get(10)?,
        created_ms: row.try_get(11)?,
    })
}
