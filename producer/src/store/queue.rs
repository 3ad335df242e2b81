//! The queue: claiming with a lease, giving back.

use common::db::Kind;
use sqlx::{AssertSqlSafe, FromRow, Row, any::AnyRow};

use super::Store;

/// A delivery that this process holds the lease of.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: String,
    /// The `webhook-id`.
    pub message_id: String,
    pub endpoint_id: String,
    pub batch_id: Option<String>,
    /// Attempts made before this one since it was put in the queue.
    pub step: i64,
    /// Attempts of these that a busy endpoint answered and that cost no step.
    pub busy: i64,
    /// Its batch was cancelled while it was being sent, which then came to nothing.
    pub cancelled: bool,
    /// When the lease ends; with the holder's name it tells this claim from every other.
    pub leased_until_ms: i64,
    pub body: String,
}

impl FromRow<'_, AnyRow> for Claimed {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            message_id: row.try_get("message_id")?,
            endpoint_id: row.try_get("endpoint_id")?,
            batch_id: row.try_get("batch_id")?,
            step: row.try_get("step")?,
            busy: row.try_get("busy")?,
            cancelled: row.try_get::<i64, _>("cancelled")? != 0,
            leased_until_ms: row.try_get("due_ms")?,
            body: row.try_get("body")?,
        })
    }
}

/// Who claims, when, and for how long.
#[derive(Clone, Copy, Debug)]
pub struct Lease<'a> {
    pub holder: &'a str,
    pub now_ms: i64,
    pub until_ms: i64,
}

impl Store {
    /// Claims at most so many due deliveries of each of these endpoints, the oldest first, in one statement.
    ///
    /// The lease test stands a second time outside the subselect: without it PostgreSQL hands one row to two workers.
    pub async fn claim(&self, lease: Lease<'_>, wanted: &[(String, i64)]) -> sqlx::Result<Vec<Claimed>> {
        let arms = wanted.len().next_power_of_two();
        let mut query = sqlx::query_as(AssertSqlSafe(claim_sql(arms, self.db.kind)))
            .bind(lease.until_ms)
            .bind(lease.holder)
            .bind(lease.now_ms);
        for arm in 0..arms {
            let (endpoint, limit) = wanted.get(arm).map_or(("", 0), |(endpoint, limit)| (endpoint.as_str(), *limit));
            query = query.bind(endpoint).bind(limit);
        }
        query.fetch_all(&self.db.write).await
    }

    /// Gives back what an earlier process held; only for the sole owner of the database, at its start.
    pub async fn release_all(&self, now_ms: i64) -> sqlx::Result<u64> {
        let sql = "update deliveries set lease = null, due_ms = $1 where state = 0 and lease is not null";
        Ok(sqlx::query(sql).bind(now_ms).execute(&self.db.write).await?.rows_affected())
    }

    /// Gives back what this holder claimed and did not finish.
    pub async fn release(&self, holder: &str, now_ms: i64) -> sqlx::Result<()> {
        let sql = "update deliveries set lease = null, due_ms = $2 where state = 0 and lease = $1";
        sqlx::query(sql).bind(holder).bind(now_ms).execute(&self.db.write).await.map(drop)
    }
}

/// Where several producers claim at once, each passes over the rows that another has in hand; SQLite has one writer and needs no such words.
/// The rows are picked once, ahead of the update: a subselect in its place may run again for each row, and pick others each time.
fn claim_sql(arms: usize, kind: Kind) -> String {
    let passing = if kind == Kind::Postgres { " for update skip locked" } else { "" };
    let arm = |number: usize| {
        let (endpoint, limit) = (2 * number + 4, 2 * number + 5);
        format!(
            "select id from (select id from deliveries where state = 0 and endpoint_id = ${endpoint} and due_ms <= $3 \
             order by due_ms limit ${limit}{passing}) a{number}"
        )
    };
    let arms: Vec<String> = (0..arms).map(arm).collect();
    format!(
        "with picked(id) as materialized ({}) \
         update deliveries set due_ms = $1, lease = $2 where id in (select id from picked) and state = 0 and due_ms <= $3 \
         returning id, message_id, endpoint_id, batch_id, step, busy, cancelled, due_ms, \
         (select body from messages where messages.id = deliveries.message_id) as body",
        arms.join(" union all ")
    )
}
