//! What a screen shows: by itself (its content), and at the moment as it says.

use std::collections::{BTreeMap, HashMap};

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

/// What devices say that they show, JSON by device and connection, in one commit. Gives back what is said by a connection that is not the device's newest.
///
/// # Errors
/// When the database fails; nothing is stored then.
pub async fn show(db: &Db, said: &BTreeMap<(String, String), String>) -> sqlx::Result<Vec<((String, String), String)>> {
    let mut transaction = db.write.begin().await?;
    let mut others = Vec::new();
    for (connection, showing) in said {
        let (id, session) = connection.clone();
        let text = "update action_devices set showing = $3 where id = $1 and session = $2";
        let query = sqlx::query(text).bind(id).bind(session).bind(showing.clone());
        if query.execute(&mut *transaction).await?.rows_affected() == 0 {
            others.push((connection.clone(), showing.clone()));
        }
    }
    transaction.commit().await?;
    Ok(others)
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
