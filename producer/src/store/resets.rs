//! Requests for new keys: how many there were lately.

use super::Store;

/// How many requests for new keys there were since a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resets {
    pub of_account: i64,
    pub of_address: i64,
}

impl Store {
    /// Writes a request down, and says how many there were since `since_ms`, this one among them; older ones are forgotten.
    pub async fn note_reset(
        &self,
        account: &str,
        address: &str,
        (now_ms, since_ms): (i64, i64),
    ) -> sqlx::Result<Resets> {
        let mut tx = self.db.write.begin().await?;
        sqlx::query("insert into key_resets (account_id, address, at_ms) values ($1,$2,$3)")
            .bind(account)
            .bind(address)
            .bind(now_ms)
            .execute(&mut *tx)
            .await?;
        for (column, value) in [("account_id", account), ("address", address)] {
            let sql = sqlx::AssertSqlSafe(format!("delete from key_resets where {column} = $1 and at_ms < $2"));
            sqlx::query(sql).bind(value).bind(since_ms).execute(&mut *tx).await?;
        }
        let of_account: i64 = sqlx::query_scalar("select count(*) from key_resets where account_id = $1")
            .bind(account)
            .fetch_one(&mut *tx)
            .await?;
        let of_address: i64 = sqlx::query_scalar("select count(*) from key_resets where address = $1")
            .bind(address)
            .fetch_one(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(Resets { of_account, of_address })
    }
}
