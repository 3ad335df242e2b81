//! What waits for a time of a clock that was ahead: it waits on, but for as long as was meant.

use sqlx::AssertSqlSafe;

use super::Store;

/// Clocks of several producers may differ by so much.
const TOLERANCE_MS: i64 = 30_000;

impl Store {
    /// What a clock ahead of ours wrote is counted from now: retries and tasks wait as long as they were to wait from when that was written, leases
    /// end after `lease_ms`, and pauses that endpoints asked for meanwhile end; who is still busy says so again. Gives how many deliveries that moved;
    /// a second time it moves none.
    pub async fn count_from(&self, now_ms: i64, lease_ms: i64) -> sqlx::Result<u64> {
        let (written_ms, leased_ms) = (now_ms + TOLERANCE_MS, now_ms + lease_ms + TOLERANCE_MS);
        let ahead = "state = 0 and ((lease is null and updated_ms > $1) or (lease is not null and due_ms > $2))";
        // Nothing is written, and nobody's lock is waited for, while there is nothing to write.
        let some = format!("select 1 from deliveries where {ahead} limit 1");
        let some = sqlx::query(AssertSqlSafe(some)).bind(written_ms).bind(leased_ms);
        if some.fetch_optional(&self.db.read).await?.is_none() {
            return Ok(0);
        }
        let mut tx = self.db.write.begin().await?;
        // What was told to wait is written together with the pause.
        let end_pauses = "update endpoints set not_before_ms = 0 where not_before_ms > $2 and exists (select 1 from deliveries \
                          where deliveries.endpoint_id = endpoints.id and deliveries.state = 0 and deliveries.updated_ms > $1)";
        sqlx::query(end_pauses).bind(written_ms).bind(now_ms).execute(&mut *tx).await?;
        let move_back = format!(
            "update deliveries set due_ms = case when lease is not null then $4 \
             when due_ms > updated_ms then $3 + due_ms - updated_ms else $3 end, updated_ms = $3 where {ahead}"
        );
        let moving = sqlx::query(AssertSqlSafe(move_back)).bind(written_ms).bind(leased_ms);
        let moved = moving.bind(now_ms).bind(now_ms + lease_ms).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(moved.rows_affected())
    }
}
