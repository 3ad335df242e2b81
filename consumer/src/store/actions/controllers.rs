//! Controllers: devices that this side connects to, each from one node at a time.

use sqlx::Row as _;

use common::db::Db;

use super::devices::{Device, Presence};

/// A controller as it is stored: the id of its device, and JSON.
pub type Stored = (String, String);

/// Every controller.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> sqlx::Result<Vec<Stored>> {
    let text = "select id, controller from action_devices where kind = 'evok' and controller is not null";
    let rows = sqlx::query(text).fetch_all(&db.read).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// Stores a new controller, unless there are `max` devices; false: its name is taken, or there are. Nobody has the key of this hash.
///
/// # Errors
/// When the database fails.
pub async fn add(db: &Db, (new, controller): (Device, String), key_sha256: String, max: i64) -> sqlx::Result<bool> {
    let mut transaction = db.write.begin().await?;
    let id = new.id.clone();
    if !super::devices::insert(&mut transaction, new, key_sha256, max).await? {
        return Ok(false);
    }
    let text = "update action_devices set controller = $2 where id = $1";
    sqlx::query(text).bind(id).bind(controller).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Whether a node may connect: none holds it.
///
/// # Errors
/// When the database fails.
pub async fn is_free(db: &Db, id: &str, node: &str, now_ms: i64) -> sqlx::Result<bool> {
    let text = "select 1 from action_devices where id = $1 and (online_until_ms <= $3 or session is null or node = $2)";
    let query = sqlx::query(text).bind(id.to_owned()).bind(node.to_owned()).bind(now_ms);
    Ok(query.fetch_optional(&db.read).await?.is_some())
}

/// This node's connection is the one that counts, unless another node holds the controller at `free_ms`. Gives whether it is, and the device.
///
/// # Errors
/// When the database fails.
pub async fn hold(db: &Db, id: &str, here: Presence<'_>, free_ms: i64) -> sqlx::Result<Option<Device>> {
    let text = "update action_devices set session = $2, node = $3, last_seen_ms = $4, online_until_ms = $5 \
                where id = $1 and (online_until_ms <= $6 or session is null or node = $3)";
    let query = sqlx::query(text).bind(id.to_owned()).bind(here.session.to_owned()).bind(here.node.to_owned());
    let query = query.bind(here.now_ms).bind(here.until_ms).bind(free_ms);
    if query.execute(&db.write).await?.rows_affected() == 0 {
        return Ok(None);
    }
    super::devices::by_id(db, id).await
}
