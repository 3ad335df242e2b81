//! The actions: what an event id does, and on which devices.

use sqlx::{Row as _, any::AnyRow};

use common::db::Db;

/// An action as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Action {
    pub id: String,
    pub name: String,
    pub event_id: String,
    pub function: String,
    /// JSON.
    pub parameters: String,
    /// JSON.
    pub target: String,
    pub ttl_ms: i64,
    pub position: i64,
    pub created_ms: i64,
    pub updated_ms: i64,
}

const COLUMNS: &str = "id, name, event_id, function, parameters, target, ttl_ms, position, created_ms, updated_ms";

/// Every action, by event id and in the order in which they run.
///
/// # Errors
/// When the database fails.
pub async fn all(db: &Db) -> sqlx::Result<Vec<Action>> {
    let text = format!("select {COLUMNS} from actions order by event_id, position, id");
    sqlx::query(sqlx::AssertSqlSafe(text)).fetch_all(&db.read).await?.iter().map(action).collect()
}

/// The actions of an event id, in the order in which they run.
///
/// # Errors
/// When the database fails.
pub async fn of_event(db: &Db, event_id: &str) -> sqlx::Result<Vec<Action>> {
    let text = format!("select {COLUMNS} from actions where event_id = $1 order by position, id");
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(event_id.to_owned());
    query.fetch_all(&db.read).await?.iter().map(action).collect()
}

/// The action of this id; `None`: there is none (any more).
///
/// # Errors
/// When the database fails.
pub async fn by_id(db: &Db, id: &str) -> sqlx::Result<Option<Action>> {
    let text = format!("select {COLUMNS} from actions where id = $1");
    let row = sqlx::query(sqlx::AssertSqlSafe(text)).bind(id.to_owned()).fetch_optional(&db.read).await?;
    row.as_ref().map(action).transpose()
}

/// Gives the actions positions in this order, from 1.
///
/// # Errors
/// When the database fails; nothing is changed then.
pub async fn order(db: &Db, ids: &[String]) -> sqlx::Result<()> {
    let mut transaction = db.write.begin().await?;
    for (id, position) in ids.iter().zip(1_i64..) {
        let query = sqlx::query("update actions set position = $2 where id = $1").bind(id.clone()).bind(position);
        query.execute(&mut *transaction).await?;
    }
    transaction.commit().await
}

/// Stores a new action, unless there are `max` of them or `max_of_event` of its event id; false: there are.
///
/// # Errors
/// When the database fails.
pub async fn add(db: &Db, new: Action, (max, max_of_event): (i64, i64)) -> sqlx::Result<bool> {
    let text = format!(
        "insert into actions ({COLUMNS}) select $1, $2, $3, $4, $5, $6, $7, $8, $9, $10 \
         where (select count(*) from actions) < $11 and (select count(*) from actions where event_id = $3) < $12"
    );
    let query = sqlx::query(sqlx::AssertSqlSafe(text)).bind(new.id).bind(new.name).bind(new.event_id);
    let query = query.bind(new.function).bind(new.parameters).bind(new.target).bind(new.ttl_ms).bind(new.position);
    let query = query.bind(new.created_ms).bind(new.updated_ms).bind(max).bind(max_of_event);
    Ok(query.execute(&db.write).await?.rows_affected() > 0)
}

/// Makes the action of this id what is given, but for its time of creation; false: there is none.
///
/// # Errors
/// When the database fails.
pub async fn update(db: &Db, new: Action) -> sqlx::Result<bool> {
    let text = "update actions set name = $2, event_id = $3, function = $4, parameters = $5, target = $6, ttl_ms = $7, \
                position = $8, updated_ms = $9 where id = $1";
    let query = sqlx::query(text).bind(new.id).bind(new.name).bind(new.event_id).bind(new.function);
    let query = query.bind(new.parameters).bind(new.target).bind(new.ttl_ms).bind(new.position).bind(new.updated_ms);
    Ok(query.execute(&db.write).await?.rows_affected() > 0)
}

/// Forgets the action; `None`: there was none. Gives its name.
///
/// # Errors
/// When the database fails.
pub async fn remove(db: &Db, id: &str) -> sqlx::Result<Option<String>> {
    let text = "delete from actions where id = $1 returning name";
    sqlx::query_scalar(text).bind(id.to_owned()).fetch_optional(&db.write).await
}

fn action(row: &AnyRow) -> sqlx::Result<Action> {
    Ok(Action {
        id: row.try_get(0)?,
        name: row.try_get(1)?,
        event_id: row.try_get(2)?,
        function: row.try_get(3)?,
        parameters: row.try_get(4)?,
        target: row.try_get(5)?,
        ttl_ms: row.try_get(6)?,
        position: row.try_get(7)?,
        created_ms: row.try_get(8)?,
        updated_ms: row.try_get(9)?,
    })
}
