//! The devices that obey actions.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use common::db::Db;

/// What a device is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// Any socket.io client.
    #[default]
    Client,
    /// A browser with the player.
    Screen,
    /// The outputs of a controller with Evok.
    Evok,
}

impl Kind {
    /// As it is stored, and told.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Screen => "screen",
            Self::Evok => "evok",
        }
    }

    fn of(text: &str) -> Self {
        [Self::Screen, Self::Evok].into_iter().find(|kind| kind.as_str() == text).unwrap_or_default()
    }
}

/// A device as it is stored, without its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    pub groups: Vec<String>,
    pub tags: Vec<String>,
    pub paired_ms: i64,
    pub created_ms: i64,
    pub last_seen_ms: Option<i64>,
    /// Until when it counts as connected, to whichever node.
    pub online_until_ms: i64,
}

const COLUMNS: &str = "id, name, in_groups, tags, paired_ms, created_ms, last_seen_ms, online_until_ms, kind";

/// Every device, by name.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> sqlx::Result<Vec<Device>> {
    let text = format!("select {COLUMNS} from action_devices order by name");
    sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&db.read).await?.iter().map(device).collect()
}

/// The device whose key has this hash; `None`: there is none.
///
/// # Errors
/// When the database fails.
pub async fn by_hash(db: &Db, key_sha256: &str) -> sqlx::Result<Option<Device>> {
    let text = format!("select {COLUMNS} from action_devices where key_sha256 = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(key_sha256.to_owned()).fetch_optional(&db.read).await?;
    row.as_ref().map(device).transpose()
}

/// Stores a new device, unless there are `max` of them; false: its name is taken, or there are.
///
/// # Errors
/// When the database fails.
pub async fn add(db: &Db, new: Device, key_sha256: String, max: i64) -> sqlx::Result<bool> {
    insert(&mut *db.write.acquire().await?, new, key_sha256, max).await
}

/// Stores a new device, within a transaction.
pub(super) async fn insert(
    connection: &mut AnyConnection,
    new: Device,
    key_sha256: String,
    max: i64,
) -> sqlx::Result<bool> {
    let text = "insert into action_devices (id, name, key_sha256, in_groups, tags, paired_ms, created_ms, kind) \
                select $1, $2, $3, $4, $5, $6, $7, $8 where (select count(*) from action_devices) < $9 on conflict do nothing";
    let query = sqlx::query(text).bind(new.id).bind(new.name).bind(key_sha256).bind(list(&new.groups));
    let query = query.bind(list(&new.tags)).bind(new.paired_ms).bind(new.created_ms).bind(new.kind.as_str()).bind(max);
    Ok(query.execute(connection).await?.rows_affected() > 0)
}

/// Puts the device into these groups, with these tags; its connection is not listened to any more, so that it comes back and is told what holds
/// for it now. `None`: there is none. Gives the device.
///
/// # Errors
/// When the database fails.
pub async fn place(db: &Db, id: &str, groups: &[String], tags: &[String]) -> sqlx::Result<Option<Device>> {
    let text = format!(
        "update action_devices set in_groups = $2, tags = $3, session = null where id = $1 returning {COLUMNS}"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(id.to_owned()).bind(list(groups)).bind(list(tags));
    query.fetch_optional(&db.write).await?.as_ref().map(device).transpose()
}

/// The device; `None`: there is none.
///
/// # Errors
/// When the database fails.
pub async fn by_id(db: &Db, id: &str) -> sqlx::Result<Option<Device>> {
    let text = format!("select {COLUMNS} from action_devices where id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(id.to_owned()).fetch_optional(&db.read).await?;
    row.as_ref().map(device).transpose()
}

/// Forgets the device and its key; what is waiting for it expires. `None`: there was none. Gives its name.
///
/// # Errors
/// When the database fails.
pub async fn remove(db: &Db, id: &str, now_ms: i64) -> sqlx::Result<Option<String>> {
    let mut transaction = db.write.begin().await?;
    let text = "delete from action_devices where id = $1 returning name";
    let name = sqlx::query_scalar(text).bind(id.to_owned()).fetch_optional(&mut *transaction).await?;
    let text = "update commands set state = 'expired', ended_ms = $2, said = 'the device was deleted' \
                where device = $1 and state in ('queued', 'sent', 'acknowledged')";
    sqlx::query(text).bind(id.to_owned()).bind(now_ms).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(name)
}

/// Which connection of a device, at which node, and until when that is believed.
#[derive(Clone, Copy, Debug)]
pub struct Presence<'a> {
    pub session: &'a str,
    pub node: &'a str,
    pub now_ms: i64,
    pub until_ms: i64,
}

/// The device is connected: from now on only this connection is listened to. False: there is no such device any more.
///
/// # Errors
/// When the database fails.
pub async fn arrive(db: &Db, id: &str, here: Presence<'_>) -> sqlx::Result<bool> {
    let text =
        "update action_devices set session = $2, node = $3, last_seen_ms = $4, online_until_ms = $5 where id = $1";
    let query = sqlx::query(text).bind(id.to_owned()).bind(here.session.to_owned()).bind(here.node.to_owned());
    Ok(query.bind(here.now_ms).bind(here.until_ms).execute(&db.write).await?.rows_affected() > 0)
}

/// The connection is gone; nothing is changed when the device has another one by now.
///
/// # Errors
/// When the database fails.
pub async fn leave(db: &Db, id: &str, session: &str, now_ms: i64) -> sqlx::Result<()> {
    let text = "update action_devices set online_until_ms = 0, last_seen_ms = $3 where id = $1 and session = $2";
    sqlx::query(text).bind(id.to_owned()).bind(session.to_owned()).bind(now_ms).execute(&db.write).await.map(drop)
}

/// All devices that this node serves are still there; one without a connection that counts is not.
///
/// # Errors
/// When the database fails.
pub async fn stay(db: &Db, node: &str, now_ms: i64, until_ms: i64) -> sqlx::Result<()> {
    let text = "update action_devices set online_until_ms = $3, last_seen_ms = $2 \
                where node = $1 and online_until_ms > 0 and session is not null";
    sqlx::query(text).bind(node.to_owned()).bind(now_ms).bind(until_ms).execute(&db.write).await.map(drop)
}

/// The newest connection of each device that this node serves, as (device, connection).
///
/// # Errors
/// When the database fails.
pub async fn served(db: &Db, node: &str) -> sqlx::Result<Vec<(String, String)>> {
    let text = "select id, session from action_devices where node = $1 and session is not null";
    let rows = sqlx::query(text).bind(node.to_owned()).fetch_all(&db.read).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

pub(super) fn list(texts: &[String]) -> String {
    serde_json::to_string(texts).expect("a list of texts is always JSON")
}

fn device(row: &AnyRow) -> sqlx::Result<Device> {
    let list = |json: String| serde_json::from_str(&json).unwrap_or_default();
    Ok(Device {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        groups: list(row.try_get(2)?),
        tags: list(row.try_get(3)?),
        paired_ms: row.try_get(4)?,
        created_ms: row.try_get(5)?,
        last_seen_ms: row.try_get(6)?,
        online_until_ms: row.try_get(7)?,
        kind: Kind::of(&row.try_get::<String, _>(8)?),
    })
}
