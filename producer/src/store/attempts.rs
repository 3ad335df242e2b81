//! Attempts: the history of a delivery, and the event log of a batch.

use sqlx::{FromRow, Row, any::AnyRow};

use super::Store;

/// A recorded attempt as its delivery's page shows it.
#[derive(Clone, Debug)]
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

impl FromRow<'_, AnyRow> for Attempt {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            number: row.try_get("number")?,
            at_ms: row.try_get("at_ms")?,
            duration_ms: row.try_get("duration_ms")?,
            outcome: row.try_get("outcome")?,
            status: row.try_get("status")?,
            reason: row.try_get("reason")?,
            detail: row.try_get("detail")?,
            response: row.try_get("response")?,
            next_ms: row.try_get("next_ms")?,
            request_headers: row.try_get("request_headers")?,
            response_headers: row.try_get("response_headers")?,
        })
    }
}

/// An entry of a batch's event log.
#[derive(Clone, Debug)]
pub struct Entry {
    /// 1, 2, 3 … in the order of recording.
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

impl FromRow<'_, AnyRow> for Entry {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            seq: row.try_get("batch_seq")?,
            delivery_id: row.try_get("delivery_id")?,
            position: row.try_get("position")?,
            step: row.try_get("step")?,
            at_ms: row.try_get("at_ms")?,
            duration_ms: row.try_get("duration_ms")?,
            outcome: row.try_get("outcome")?,
            status: row.try_get("status")?,
            reason: row.try_get("reason")?,
            detail: row.try_get("detail")?,
            next_ms: row.try_get("next_ms")?,
            body: row.try_get("body")?,
        })
    }
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
