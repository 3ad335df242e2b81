//! Batches: what one press of the button put in the queue, and how far it is.

use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row, any::AnyRow};

use super::{Store, chunks, ids::fresh_id, int, lock, patiently};

/// A stored batch; times in milliseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    pub id: String,
    pub created_ms: i64,
    pub ended_ms: Option<i64>,
    pub cancelled_ms: Option<i64>,
    pub url: String,
    /// `tasks` that were made up, or readings of `hardware`.
    pub source: String,
    pub seed: u64,
    pub wait_ms: i64,
    pub total: i64,
    pub delivered: i64,
    pub failed: i64,
    /// Waiting deliveries that were attempted at least once.
    pub retrying: i64,
    pub cancelled: i64,
    /// Attempts recorded so far: the last position in the batch's event log.
    pub seq: i64,
}

impl FromRow<'_, AnyRow> for Batch {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            created_ms: row.try_get("created_ms")?,
            ended_ms: row.try_get("ended_ms")?,
            cancelled_ms: row.try_get("cancelled_ms")?,
            url: row.try_get("url")?,
            source: row.try_get("source")?,
            seed: row.try_get::<String, _>("seed")?.parse().unwrap_or_default(),
            wait_ms: row.try_get("wait_ms")?,
            total: row.try_get("total")?,
            delivered: row.try_get("delivered")?,
            failed: row.try_get("failed")?,
            retrying: row.try_get("retrying")?,
            cancelled: row.try_get("cancelled")?,
            seq: row.try_get("seq")?,
        })
    }
}

/// What a delivery's row weighs, and a message's beside its body.
const ROW_BYTES: usize = 190;

/// A batch that is to be queued: message `i` becomes due `i` waits after the first.
pub struct NewBatch {
    pub id: String,
    pub url: String,
    pub seed: u64,
    pub wait_ms: i64,
    /// What kind of message the bodies are, such as `task`.
    pub kind: &'static str,
    /// What they were made of: `tasks` or `hardware`.
    pub source: &'static str,
    pub bodies: Vec<String>,
    pub now_ms: i64,
    /// When the first one is due.
    pub first_due_ms: i64,
}

impl Store {
    /// Commits the batch, its messages and its deliveries, all or nothing; the endpoint is made when it is new, and enabled again when it was stopped.
    pub async fn queue_batch(&self, new: &NewBatch) -> sqlx::Result<Batch> {
        let mut tx = self.db.write.begin().await?;
        let endpoint = super::endpoints::enable(&mut tx, &new.url, new.now_ms).await?;
        let batch = insert(&mut tx, new).await?;
        let mut position = 0;
        for bodies in chunks(&new.bodies, |body| body.len() + ROW_BYTES) {
            let messages = insert_messages(&mut tx, new, bodies).await?;
            insert_deliveries(&mut tx, (new, &endpoint), &messages, position).await?;
            position += int(bodies.len());
        }
        tx.commit().await?;
        Ok(batch)
    }

    pub async fn batch(&self, id: &str) -> sqlx::Result<Option<Batch>> {
        sqlx::query_as("select * from batches where id = $1").bind(id).fetch_optional(&self.db.read).await
    }

    /// The newest first.
    pub async fn batches(&self, limit: i64) -> sqlx::Result<Vec<Batch>> {
        sqlx::query_as("select * from batches order by created_ms desc, id desc limit $1")
            .bind(limit)
            .fetch_all(&self.db.read)
            .await
    }

    /// Takes what nobody is sending just now out of the queue; attempts under way end and are counted as they end, but are not made again.
    ///
    /// `None`: there is no such batch.
    pub async fn cancel_batch(&self, id: &str, now_ms: i64) -> sqlx::Result<Option<Batch>> {
        patiently(|| self.try_cancel(id, now_ms)).await
    }

    async fn try_cancel(&self, id: &str, now_ms: i64) -> sqlx::Result<Option<Batch>> {
        let mut tx = self.db.write.begin().await?;
        if !lock(&mut tx, id).await? {
            return Ok(None);
        }
        let attempts: Vec<(i64,)> = sqlx::query_as(
            "update deliveries set state = 3, lease = null, updated_ms = $2 \
             where batch_id = $1 and state = 0 and (lease is null or due_ms <= $2) returning attempts",
        )
        .bind(id)
        .bind(now_ms)
        .fetch_all(&mut *tx)
        .await?;
        let under_way = "update deliveries set cancelled = 1 where batch_id = $1 and state = 0";
        sqlx::query(under_way).bind(id).execute(&mut *tx).await?;
        let retried = attempts.iter().filter(|(made,)| *made > 0).count();
        let batch = sqlx::query_as(
            "update batches set cancelled = cancelled + $2, retrying = retrying - $3, \
             cancelled_ms = case when ended_ms is null then $4 else cancelled_ms end, \
             ended_ms = case when ended_ms is null and delivered + failed + cancelled + $2 >= total then $4 else ended_ms end \
             where id = $1 returning *",
        )
        .bind(id)
        .bind(int(attempts.len()))
        .bind(int(retried))
        .bind(now_ms)
        .fetch_one(&mut *tx)
        .await?;
        tx.commit().await?;
        Ok(Some(batch))
    }

    /// Puts what failed back in the queue with a fresh schedule, makes what waits for a retry due now, and enables the endpoint when it was stopped.
    ///
    /// `None`: there is no such batch.
    pub async fn retry_batch(&self, id: &str, now_ms: i64) -> sqlx::Result<Option<Batch>> {
        patiently(|| self.try_retry(id, now_ms)).await
    }

    async fn try_retry(&self, id: &str, now_ms: i64) -> sqlx::Result<Option<Batch>> {
        let mut tx = self.db.write.begin().await?;
        if !lock(&mut tx, id).await? {
            return Ok(None);
        }
        let again = sqlx::query(
            "update deliveries set state = 0, step = 0, busy = 0, cancelled = 0, due_ms = $2, lease = null, updated_ms = $2 where batch_id = $1 and state = 2",
        )
        .bind(id)
        .bind(now_ms)
        .execute(&mut *tx)
        .await?
        .rows_affected();
        let sooner = "update deliveries set due_ms = $2 \
                      where batch_id = $1 and state = 0 and lease is null and attempts > 0 and due_ms > $2";
        sqlx::query(sooner).bind(id).bind(now_ms).execute(&mut *tx).await?;
        let batch: Batch = reopen(&mut tx, id, i64::try_from(again).unwrap_or(i64::MAX)).await?;
        super::endpoints::resume(&mut tx, &batch.url).await?;
        tx.commit().await?;
        Ok(Some(batch))
    }

    /// How many deliveries wait, over all batches under way.
    pub async fn waiting(&self) -> sqlx::Result<i64> {
        let sum = "select cast(coalesce(sum(total - delivered - failed - cancelled), 0) as bigint) from batches where ended_ms is null";
        sqlx::query_scalar(sum).fetch_one(&self.db.read).await
    }
}

/// Takes `again` deliveries of the batch from *failed* to *will be retried*.
pub(super) async fn reopen(connection: &mut AnyConnection, id: &str, again: i64) -> sqlx::Result<Batch> {
    sqlx::query_as(
        "update batches set failed = failed - $2, retrying = retrying + $2, \
         ended_ms = case when $2 > 0 then null else ended_ms end, cancelled_ms = case when $2 > 0 then null else cancelled_ms end \
         where id = $1 returning *",
    )
    .bind(id)
    .bind(again)
    .fetch_one(connection)
    .await
}

async fn insert(connection: &mut AnyConnection, new: &NewBatch) -> sqlx::Result<Batch> {
    sqlx::query_as(
        "insert into batches (id, created_ms, url, seed, wait_ms, total, source) values ($1,$2,$3,$4,$5,$6,$7) returning *",
    )
    .bind(&new.id)
    .bind(new.now_ms)
    .bind(&new.url)
    .bind(new.seed.to_string())
    .bind(new.wait_ms)
    .bind(int(new.bodies.len()))
    .bind(new.source)
    .fetch_one(connection)
    .await
}

async fn insert_messages(
    connection: &mut AnyConnection,
    new: &NewBatch,
    bodies: &[String],
) -> sqlx::Result<Vec<String>> {
    let ids: Vec<String> = bodies.iter().map(|_| fresh_id()).collect();
    let sql = format!(
        "insert into messages (id, kind, body, created_ms) values {}",
        common::db::values(connection, bodies.len(), 4)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (id, body) in ids.iter().zip(bodies) {
        query = query.bind(id).bind(new.kind).bind(body).bind(new.now_ms);
    }
    query.execute(connection).await?;
    Ok(ids)
}

async fn insert_deliveries(
    connection: &mut AnyConnection,
    (new, endpoint): (&NewBatch, &str),
    messages: &[String],
    before: i64,
) -> sqlx::Result<()> {
    let sql = format!(
        "insert into deliveries (id, message_id, endpoint_id, batch_id, position, due_ms, created_ms, updated_ms) values {}",
        common::db::values(connection, messages.len(), 8)
    );
    let mut query = sqlx::query(AssertSqlSafe(sql));
    for (place, message) in (before..).zip(messages) {
        let due_ms = new.first_due_ms.saturating_add(place.saturating_mul(new.wait_ms));
        query = query.bind(fresh_id()).bind(message).bind(endpoint).bind(&new.id).bind(place + 1).bind(due_ms);
        query = query.bind(new.now_ms).bind(new.now_ms);
    }
    query.execute(connection).await.map(drop)
}
