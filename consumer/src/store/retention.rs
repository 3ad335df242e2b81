//! Forgetting: old events go in small steps, so that nobody waits for it.

use sqlx::Row;

use common::db::Db;

/// Removes at most `step` of the oldest events: those received before `before_ms`, and those beyond the newest `keep`.
/// Gives how many went.
///
/// # Errors
/// When the database fails.
pub async fn forget(db: &Db, before_ms: i64, keep: i64, step: i64) -> sqlx::Result<u64> {
    let head: i64 = sqlx::query_scalar("select head from log where name = 'events'").fetch_one(&db.read).await?;
    let text = "select log_offset, received_ms from events order by log_offset limit $1";
    let oldest = sqlx::query(text).bind(step).fetch_all(&db.read).await?;
    let mut up_to = 0;
    for row in &oldest {
        let (offset, received_ms): (i64, i64) = (row.try_get(0)?, row.try_get(1)?);
        if received_ms >= before_ms && offset > head - keep {
            break;
        }
        up_to = offset;
    }
    if up_to == 0 {
        return Ok(0);
    }
    let done = sqlx::query("delete from events where log_offset <= $1").bind(up_to).execute(&db.write).await?;
    Ok(done.rows_affected())
}

/// Removes the seconds before `before_s`, which no chart reaches any more.
///
/// # Errors
/// When the database fails.
pub async fn forget_rates(db: &Db, before_s: i64) -> sqlx::Result<()> {
    sqlx::query("delete from rates where second < $1").bind(before_s).execute(&db.write).await.map(drop)
}
