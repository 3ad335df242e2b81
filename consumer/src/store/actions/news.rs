//! Marks by which is seen that something of actions moved, on whichever node.

use sqlx::Row as _;

use common::db::Db;

/// Steps of the newest executions whose outcome is looked at.
const STEPS: i64 = 12;

/// What differs when a key, an action, a device or the outcome of one of the newest executions does.
///
/// # Errors
/// When the database fails.
pub async fn of_all(db: &Db, now_ms: i64) -> sqlx::Result<String> {
    let text = "select coalesce((select max(id) from audit), '') || ' ' || (select cast(version as text) from versions where name = 'commands') \
                || ' ' || (select cast(count(*) as text) from action_devices) \
                || ' ' || (select cast(count(*) as text) from action_devices where online_until_ms > $1)";
    let mark: String = sqlx::query_scalar(text).bind(now_ms).fetch_one(&db.read).await?;
    let text = "select state, count(*) from commands where number > (select version from versions where name = 'commands') - $1 \
                group by state order by state";
    let rows = sqlx::query(text).bind(STEPS).fetch_all(&db.read).await?;
    Ok(format!("{mark} {}", states(&rows)?))
}

/// What differs when the outcome of this execution does.
///
/// # Errors
/// When the database fails.
pub async fn of_execution(db: &Db, id: &str) -> sqlx::Result<String> {
    let text = "select state, count(*) from commands where execution = $1 group by state order by state";
    states(&sqlx::query(text).bind(id.to_owned()).fetch_all(&db.read).await?)
}

fn states(rows: &[sqlx::any::AnyRow]) -> sqlx::Result<String> {
    let state = |row: &sqlx::any::AnyRow| Ok(format!("{} {}", row.try_get::<String, _>(0)?, row.try_get::<i64, _>(1)?));
    rows.iter().map(state).collect::<sqlx::Result<Vec<_>>>().map(|states| states.join(" "))
}
