//! Endpoints: the URLs that are sent to, each with its own pace.

use common::db::Kind;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow, Row, any::AnyRow};

use super::{Store, limits::Limit};

/// An endpoint that something waits for.
#[derive(Clone, Debug)]
pub struct Waiting {
    pub id: String,
    pub url: String,
    /// It answered 410: nothing more is sent until somebody asks for it again.
    pub stopped: bool,
    /// It asked for a pause until then.
    pub not_before_ms: i64,
    /// Why it could not be reached at the last attempt; `None` while it answers.
    pub down: Option<String>,
    /// When the first of its deliveries is due, or the first lease of those under way ends; of a line that keeps its order, when its head is.
    pub next_due_ms: i64,
    /// One after the other: a failing head holds the rest.
    pub in_order: bool,
    /// The limits on its subscription and on its account that are set.
    pub limits: Vec<Limit>,
    /// The subscription's own headers: a JSON object.
    pub headers: Option<String>,
}

impl FromRow<'_, AnyRow> for Waiting {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            url: row.try_get("url")?,
            stopped: row.try_get::<i64, _>("state")? != 0,
            not_before_ms: row.try_get("not_before_ms")?,
            down: row.try_get("down")?,
            // It may have ended as it was looked at, or hold nothing that keeps an order.
            next_due_ms: row.try_get::<Option<i64>, _>("next_due_ms")?.unwrap_or(i64::MAX),
            in_order: row.try_get::<Option<i64>, _>("fifo")?.unwrap_or_default() != 0,
            limits: [limit(row, "subscription")?, limit(row, "account")?].into_iter().flatten().collect(),
            headers: row.try_get("headers")?,
        })
    }
}

impl Waiting {
    /// Whether its deliveries may be sent together and as they come.
    pub fn is_free(&self) -> bool {
        !self.in_order && !self.stopped && self.limits.is_empty()
    }
}

#[cfg(test)]
impl Waiting {
    /// A line of which nothing else is known.
    pub fn idle(id: &str, next_due_ms: i64) -> Self {
        Self {
            id: id.into(),
            url: String::new(),
            stopped: false,
            not_before_ms: 0,
            down: None,
            next_due_ms,
            in_order: false,
            limits: Vec::new(),
            headers: None,
        }
    }
}

fn limit(row: &AnyRow, whose: &str) -> sqlx::Result<Option<Limit>> {
    let rate: Option<i64> = row.try_get(format!("{whose}_rate").as_str())?;
    let Some(per_minute) = rate.filter(|rate| *rate > 0) else { return Ok(None) };
    let id = row.try_get(format!("{whose}_id").as_str())?;
    let next_slot_us: Option<i64> = row.try_get(format!("{whose}_slot_us").as_str())?;
    Ok(Some(Limit { id, per_minute, next_slot_us: next_slot_us.unwrap_or_default() }))
}

impl Store {
    /// The endpoints that something waits for, in the order of their ids, from behind `after` on, at most `limit`.
    ///
    /// It walks the index from one endpoint to the next, so it costs by endpoints and not by deliveries.
    pub async fn agenda(&self, after: &str, limit: i64) -> sqlx::Result<Vec<Waiting>> {
        sqlx::query_as(
            "with recursive ready(id, n) as ( \
               select (select min(endpoint_id) from deliveries where state = 0 and endpoint_id > $1), 1 \
               union all \
               select (select min(endpoint_id) from deliveries where state = 0 and endpoint_id > ready.id), n + 1 \
               from ready where ready.id is not null and n < $2) \
             select e.id, e.url, e.state, e.not_before_ms, e.down, s.fifo, s.headers, \
               e.subscription_id, s.rate_per_minute as subscription_rate, ls.next_slot_us as subscription_slot_us, \
               e.account_id, a.rate_per_minute as account_rate, la.next_slot_us as account_slot_us, \
               case when s.fifo = 1 then (select d.due_ms from deliveries d where d.endpoint_id = e.id and d.state = 0 \
                   and d.subscription_id is not null order by d.id limit 1) \
                 else (select min(d.due_ms) from deliveries d where d.endpoint_id = e.id and d.state = 0) end as next_due_ms \
             from ready join endpoints e on e.id = ready.id \
             left join subscriptions s on s.id = e.subscription_id left join limiters ls on ls.id = e.subscription_id \
             left join accounts a on a.id = e.account_id left join limiters la on la.id = e.account_id order by e.id",
        )
        .bind(after)
        .bind(limit)
        .fetch_all(&self.db.read)
        .await
        .map(|rows: Vec<Waiting>| rows)
    }

    /// The lines that could not be reached at the last attempt and that something waits for: their ids and URLs, at most `limit`.
    pub async fn unreachable(&self, limit: i64) -> sqlx::Result<Vec<(String, String)>> {
        sqlx::query_as(
            "select id, url from endpoints where down is not null and state = 0 and exists ( \
             select 1 from deliveries where deliveries.endpoint_id = endpoints.id and deliveries.state = 0) limit $1",
        )
        .bind(limit)
        .fetch_all(&self.db.read)
        .await
    }
}

/// What an attempt told about its endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// It answers, or takes connections, again.
    Up,
    /// It could not be reached, for this reason.
    Down(&'static str),
    /// It asked for a pause until then.
    Pause(i64),
    /// It answered 410.
    Stop,
}

impl Store {
    /// Writes down that an endpoint that was down takes connections again; says how many retries came forward.
    pub async fn endpoint_is_up(&self, id: &str, now_ms: i64) -> sqlx::Result<u64> {
        let mut tx = self.db.write.begin().await?;
        let pulled = up(&mut tx, id, (now_ms, self.db.kind)).await?;
        tx.commit().await?;
        Ok(pulled)
    }
}

/// Ends the time that the endpoint was down, and makes the retries that wait because of it due now, each at the place in the schedule it had before.
///
/// This happens once each time it was down: 0 while it is up. What another transaction has in hand is passed over.
async fn up(connection: &mut AnyConnection, id: &str, (now_ms, kind): (i64, Kind)) -> sqlx::Result<u64> {
    let was_down = "update endpoints set down = null where id = $1 and down is not null";
    if sqlx::query(was_down).bind(id).execute(&mut *connection).await?.rows_affected() == 0 {
        return Ok(0);
    }
    let passing = if kind == Kind::Postgres { " for update skip locked" } else { "" };
    let pull = format!(
        "update deliveries set due_ms = $2, step = case when step > 0 then step - 1 else 0 end where id in ( \
         select id from deliveries where state = 0 and endpoint_id = $1 and due_ms > $2 and lease is null \
         and reason in ('refused', 'unreachable', 'dns'){passing})"
    );
    Ok(sqlx::query(AssertSqlSafe(pull)).bind(id).bind(now_ms).execute(connection).await?.rows_affected())
}

/// Writes down what was learnt of an endpoint.
pub(super) async fn change(
    connection: &mut AnyConnection,
    id: &str,
    change: &Change,
    at: (i64, Kind),
) -> sqlx::Result<()> {
    let query = match change {
        Change::Up => return up(connection, id, at).await.map(drop),
        Change::Down(reason) => {
            sqlx::query("update endpoints set down = $2 where id = $1 and down is null").bind(id).bind(*reason)
        }
        Change::Pause(until_ms) => {
            sqlx::query("update endpoints set not_before_ms = $2 where id = $1 and not_before_ms < $2")
                .bind(id)
                .bind(*until_ms)
        }
        Change::Stop => sqlx::query("update endpoints set state = 1 where id = $1").bind(id),
    };
    query.execute(connection).await.map(drop)
}

/// The id of the batches' line to this URL; made when it is new, enabled again when it was stopped.
pub(super) async fn enable(connection: &mut AnyConnection, url: &str, now_ms: i64) -> sqlx::Result<String> {
    let id = line(connection, &Line { url, subscription: "", account: None }, now_ms).await?;
    let enable = "update endpoints set state = 0, not_before_ms = 0 where id = $1 and state <> 0";
    sqlx::query(enable).bind(&id).execute(connection).await?;
    Ok(id)
}

/// A line of the queue: what goes to one URL, for the batches or for one subscription.
#[derive(Clone, Copy, Debug)]
pub struct Line<'a> {
    pub url: &'a str,
    /// Empty for the batches.
    pub subscription: &'a str,
    pub account: Option<&'a str>,
}

/// The id of the line; made when it is new.
pub(super) async fn line(connection: &mut AnyConnection, line: &Line<'_>, now_ms: i64) -> sqlx::Result<String> {
    sqlx::query(
        "insert into endpoints (id, url, subscription_id, account_id, created_ms) values ($1,$2,$3,$4,$5) \
         on conflict (subscription_id, url) do nothing",
    )
    .bind(super::ids::fresh_id())
    .bind(line.url)
    .bind(line.subscription)
    .bind(line.account)
    .bind(now_ms)
    .execute(&mut *connection)
    .await?;
    let find = "select id from endpoints where subscription_id = $1 and url = $2";
    sqlx::query_scalar(find).bind(line.subscription).bind(line.url).fetch_one(connection).await
}

/// Enables the batches' line to this URL when it was stopped, and ends the pause that it asked for: somebody wants to send now.
pub(super) async fn resume(connection: &mut AnyConnection, url: &str) -> sqlx::Result<()> {
    let resume = "update endpoints set state = 0, not_before_ms = 0 \
                  where subscription_id = '' and url = $1 and (state <> 0 or not_before_ms > 0)";
    sqlx::query(resume).bind(url).execute(connection).await.map(drop)
}

/// The same for one line.
pub(super) async fn resume_line(connection: &mut AnyConnection, id: &str) -> sqlx::Result<()> {
    let resume =
        "update endpoints set state = 0, not_before_ms = 0 where id = $1 and (state <> 0 or not_before_ms > 0)";
    sqlx::query(resume).bind(id).execute(connection).await.map(drop)
}
