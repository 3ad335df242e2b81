//! The last word on emergencies for each target.

use sqlx::{AnyConnection, Row as _, any::AnyRow};

use common::db::Db;

/// How many targets are remembered; the oldest without an emergency are forgotten first.
const MAX_KEPT: i64 = 10_000;

/// The last word for a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emergency {
    /// JSON.
    pub target: String,
    /// The command it came with.
    pub number: i64,
    /// JSON; `None`: there is none any more.
    pub parameters: Option<String>,
    pub until_ms: Option<i64>,
}

/// The last word of each target, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> sqlx::Result<Vec<Emergency>> {
    let text = "select target, number, parameters, until_ms from emergencies order by number desc";
    sqlx::query(text).fetch_all(&db.read).await?.iter().map(emergency).collect()
}

/// What is said now of a target; what was said before of it is forgotten.
pub(super) async fn say(connection: &mut AnyConnection, said: Emergency) -> sqlx::Result<()> {
    let text = "insert into emergencies (target, number, parameters, until_ms) values ($1, $2, $3, $4) \
                on conflict (target) do update set number = excluded.number, parameters = excluded.parameters, until_ms = excluded.until_ms";
    let query = sqlx::query(text).bind(said.target).bind(said.number).bind(said.parameters).bind(said.until_ms);
    query.execute(&mut *connection).await?;
    let text = "delete from emergencies where parameters is null and number <= \
                (select number from emergencies order by number desc limit 1 offset $1)";
    sqlx::query(text).bind(MAX_KEPT).execute(connection).await.map(drop)
}

fn emergency(row: &AnyRow) -> sqlx::Result<Emergency> {
    Ok(Emergency {
        target: row.try_get(0)?,
        number: row.try_get(1)?,
        parameters: row.try_get(2)?,
        until_ms: row.try_get(3)?,
    })
}
