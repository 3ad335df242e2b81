//! Deliveries: one message on its way to one endpoint.

use sqlx::{AssertSqlSafe, FromRow, Row, any::AnyRow};

use super::{Store, batches::reopen, lock, profile::Profile};

/// Where a delivery is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Its account's endpoint is disabled: it waits until that answers again.
    Held = -1,
    Waiting,
    Delivered,
    Failed,
    Cancelled,
}

impl State {
    pub const ALL: [Self; 5] = [Self::Waiting, Self::Delivered, Self::Failed, Self::Cancelled, Self::Held];

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Waiting => "waiting",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    pub fn of(number: i64) -> Self {
        Self::ALL.into_iter().find(|state| *state as i64 == number).unwrap_or(Self::Cancelled)
    }
}

/// How a delivery stands.
#[derive(Clone, Debug)]
pub struct Standing {
    pub state: State,
    /// When it is tried next; while it is being sent: when the lease ends.
    pub due_ms: i64,
    /// Whether somebody is sending it just now.
    pub in_flight: bool,
    /// Attempts ever made.
    pub attempts: i64,
    /// Attempts since it was last put in the queue.
    pub step: i64,
    pub profile: Profile,
    /// A test: one attempt only.
    pub once: bool,
    /// HTTP status of the last attempt.
    pub status: Option<i64>,
    pub reason: Option<String>,
    pub created_ms: i64,
    pub updated_ms: i64,
}

impl FromRow<'_, AnyRow> for Standing {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let state = State::of(row.try_get("state")?);
        Ok(Self {
            state,
            due_ms: row.try_get("due_ms")?,
            in_flight: state == State::Waiting && row.try_get::<Option<String>, _>("lease")?.is_some(),
            attempts: row.try_get("attempts")?,
            step: row.try_get("step")?,
            profile: Profile::of(row.try_get("profile")?),
            once: row.try_get::<i64, _>("once")? != 0,
            status: row.try_get("status")?,
            reason: row.try_get("reason")?,
            created_ms: row.try_get("created_ms")?,
            updated_ms: row.try_get("updated_ms")?,
        })
    }
}

impl Standing {
    /// When the next attempt is made; `None`: none is, or one is under way.
    #[must_use]
    pub fn next_ms(&self) -> Option<i64> {
        (self.state == State::Waiting && !self.in_flight).then_some(self.due_ms)
    }

    /// Whether it can be put in the queue by hand.
    #[must_use]
    pub fn can_retry(&self) -> bool {
        self.state != State::Delivered && !self.in_flight
    }
}

/// A stored delivery with what it carries and where to.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub id: String,
    /// The `webhook-id`.
    pub message_id: String,
    pub endpoint_id: String,
    pub url: String,
    pub batch_id: Option<String>,
    pub position: i64,
    pub standing: Standing,
    pub body: String,
}

impl FromRow<'_, AnyRow> for Delivery {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        // One event goes to several accounts, and more than once to some: there each delivery is a message of its own.
        let of_account = row.try_get::<Option<String>, _>("account_id")?.is_some();
        Ok(Self {
            id: row.try_get("id")?,
            message_id: row.try_get(if of_account { "id" } else { "message_id" })?,
            endpoint_id: row.try_get("endpoint_id")?,
            url: row.try_get("url")?,
            batch_id: row.try_get("batch_id")?,
            position: row.try_get("position")?,
            standing: Standing::from_row(row)?,
            body: row.try_get("body")?,
        })
    }
}

/// Which deliveries are listed; pages are cut by position within a batch, by id (newest first) over all.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    pub batch: Option<String>,
    pub state: Option<State>,
    /// The last one of the page before: a position within a batch, else an id.
    pub cursor: Option<String>,
    pub limit: i64,
}

/// What came of asking for one more try.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retried {
    Queued,
    /// It is being sent just now.
    InFlight,
    DeliveredAlready,
    Unknown,
}

const FIELDS: &str = "select d.*, e.url, m.body from deliveries d join endpoints e on e.id = d.endpoint_id join messages m on m.id = d.message_id";

impl Store {
    pub async fn delivery(&self, id: &str) -> sqlx::Result<Option<Delivery>> {
        sqlx::query_as(AssertSqlSafe(format!("{FIELDS} where d.id = $1"))).bind(id).fetch_optional(&self.db.read).await
    }

    /// A page of deliveries, and the cursor of the next one; `None` on the last.
    pub async fn deliveries(&self, filter: &Filter) -> sqlx::Result<(Vec<Delivery>, Option<String>)> {
        // One more than asked tells whether there is a next page.
        let mut found = self.find(&Filter { limit: filter.limit + 1, ..filter.clone() }).await?;
        let limit = usize::try_from(filter.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        let next = last.map(|last| if filter.batch.is_some() { last.position.to_string() } else { last.id.clone() });
        Ok((found, next))
    }

    async fn find(&self, filter: &Filter) -> sqlx::Result<Vec<Delivery>> {
        // The state stands in the text, not in a parameter, so that the partial index serves it.
        let state = match filter.state {
            None => String::new(),
            Some(State::Delivered) => "and d.state = 1".into(),
            Some(state) => format!("and d.state = {} and d.state <> 1", state as i64),
        };
        let query = if let Some(batch) = &filter.batch {
            let after: i64 = filter.cursor.as_deref().and_then(|cursor| cursor.parse().ok()).unwrap_or(0);
            let sql =
                format!("{FIELDS} where d.batch_id = $2 and d.position > $3 {state} order by d.position limit $1");
            sqlx::query_as(AssertSqlSafe(sql)).bind(filter.limit).bind(batch.clone()).bind(after)
        } else {
            let before = filter.cursor.clone().unwrap_or_else(|| "z".into());
            let sql = format!("{FIELDS} where d.id < $2 {state} order by d.id desc limit $1");
            sqlx::query_as(AssertSqlSafe(sql)).bind(filter.limit).bind(before)
        };
        query.fetch_all(&self.db.read).await
    }

    /// Puts one delivery that is not delivered back in the queue, due now, with a fresh schedule.
    pub async fn retry_delivery(&self, id: &str, now_ms: i64) -> sqlx::Result<Retried> {
        let Some(found) = self.delivery(id).await? else { return Ok(Retried::Unknown) };
        let mut tx = self.db.write.begin().await?;
        if let Some(batch) = &found.batch_id {
            lock(&mut tx, batch).await?;
        }
        let sql = "update deliveries set state = 0, step = 0, busy = 0, cancelled = 0, due_ms = $2, lease = null, updated_ms = $2 where id = $1 and state = $3 \
                   and (state in (-1, 2, 3) or (state = 0 and (lease is null or due_ms <= $2)))";
        let queued = sqlx::query(sql)
            .bind(id)
            .bind(now_ms)
            .bind(found.standing.state as i64)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        if queued == 0 {
            return Ok(if found.standing.state == State::Delivered {
                Retried::DeliveredAlready
            } else {
                Retried::InFlight
            });
        }
        if let Some(batch) = &found.batch_id {
            match found.standing.state {
                State::Failed => drop(reopen(&mut tx, batch, 1).await?),
                State::Cancelled => uncancel(&mut tx, batch, found.standing.attempts > 0).await?,
                State::Held | State::Waiting | State::Delivered => {}
            }
        }
        super::endpoints::resume_line(&mut tx, &found.endpoint_id).await?;
        tx.commit().await?;
        Ok(Retried::Queued)
    }
}

async fn uncancel(connection: &mut sqlx::AnyConnection, batch: &str, was_attempted: bool) -> sqlx::Result<()> {
    let sql = "update batches set cancelled = cancelled - 1, retrying = retrying + $2, ended_ms = null, cancelled_ms = null where id = $1";
    sqlx::query(sql).bind(batch).bind(i64::from(was_attempted)).execute(connection).await.map(drop)
}
