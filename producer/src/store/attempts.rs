//! Attempts: the history of a delivery, and the event log of a batch.

use sqlx::FromRow;

use super::Store;

/// A recorded attempt as its delivery's page shows it.
#[derive(Clone, Debug, FromRow)]
pub struct Attempt {
    /// From 1, over the delivery's whole life.
    pub number: i64,
    pub at_ms: i64,
    pub duration_ms: i64,
    /// `delivered`, `retrying` or `failed`.
    pub outcome: String,
    pub status: Option<i64>,
    pub reason: Option<String>,
    pub detail: Option<String>,
    /// At most the first 4 KiB of the answer.
    pub response: Option<String>,
    pub next_ms: Option<i64>,
    /// JSON arrays of pairs, of attempts for subscriptions: what was sent, and what the answer said.
    pub request_headers: Option<String>,
    pub response_headers: Option<String>,
}

/// An entry of a batch's event log.
#[derive(Clone, Debug, FromRow)]
pub struct Entry {
    /// 1, 2, 3 … in the order of recording.
    #[sqlx(rename = "batch_seq")]
    pub seq: i64,
    pub delivery_id: String,
    /// Place of the task in the batch, from 1.
    pub position: i64,
    /// From 1, the attempt's place in the schedule.
    pub step: i64,
    pub at_ms: i64,
    pub duration_ms: i64,
    pub outcome: String,
    pub status: Option<i64>,
    pub reason: Option<String>,
    pub detail: Option<String>,
    pub next_ms: Option<i64>,
    pub body: String,
}

impl Store {
    /// The batch's event log behind `after`, in order.
    pub async fn entries(&self, batch: &str, after: i64, limit: i64) -> sqlx::Result<Vec<Entry>> {
        sqlx::query_as(
            "select a.batch_seq, a.delivery_id, d.position, a.step, a.at_ms, a.duration_ms, a.outcome, a.status, a.reason, a.detail, \
             a.next_ms, m.body from attempts a join deliveries d on d.id = a.delivery_id join messages m on m.id = d.message_id \
             where a.batch_id = $1 and a.batch_seq > $2 order by a.batch_seq limit $3",
        )
        .bind(batch)
        .bind(after)
        .bind(limit)
        .fetch_all(&self.db.read)
        .await
    }

    /// The delivery's newest attempts, oldest of them first.
    pub async fn attempts(&self, delivery: &str, limit: i64) -> sqlx::Result<Vec<Attempt>> {
        let sql = "select * from (select * from attempts where delivery_id = $1 order by number desc limit $2) newest order by number";
        sqlx::query_as(sql).bind(delivery).bind(limit).fetch_all(&self.db.read).await
    }
}
