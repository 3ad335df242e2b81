//! What a screen shows: by itself (its content), and at the moment as it says.

use std::collections::HashMap;

use sqlx::Row as _;

use common::db::Db;

/// The content of a screen, JSON; `Some(None)`: it has the usual one, `None`: there is no such screen.
///
/// # Errors
/// When the database fails.
pub async fn content(db: &Db, id: &str) -> sqlx::Result<Option<Option<String>>> {
    let text = "select content from action_devices where id = $1 and kind = 'screen'";
    sqlx::query_scalar(text).bind(id.to_owned()).fetch_optional(&db.read).await
}

/// Keeps the content; false: there is no such screen.
///
/// # Errors
/// When the database fails.
pub async fn keep(db: &Db, id: &str, content: String) -> sqlx::Result<bool> {
    let text = "update action_devices set content = $2 where id = $1 and kind = 'screen'";
    let query = sqlx::query(text).bind(id.to_owned()).bind(content);
    Ok(query.execute(&db.write).await?.rows_affected() > 0)
}

/// What the device says that it shows; false: it is not the device's newest connection that says it.
///
/// # Errors
/// When the database fails.
pub async fn shows(db: &Db, id: &str, session: &str, showing: String) -> sqlx::Result<bool> {
    let text = "update action_devices set showing = $3 where id = $1 and session = $2";
    let query = sqlx::query(text).bind(id.to_owned()).bind(session.to_owned()).bind(showing);
    Ok(query.execute(&db.write).await?.rows_affected() > 0)
}

/// What each device says that it shows, by the id of the device.
///
/// # Errors
/// When the database fails.
pub async fn showing(db: &Db) -> sqlx::Result<HashMap<String, String>> {
    let rows = sqlx::query("select id, showing from action_devices where showing is not null").fetch_all(&db.read);
    rows.await?.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

/// What one device says that it shows; `None`: it said nothing yet.
///
/// # Errors
/// When the database fails.
pub async fn showing_of(db: &Db, id: &str) -> sqlx::Result<Option<String>> {
    let text = "select showing from action_devices where id = $1 and showing is not null";
    sqlx::query_scalar(text).bind(id.to_owned()).fetch_optional(&db.read).await
}
