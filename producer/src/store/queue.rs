//! The queue: claiming with a lease, giving back.

use bytes::Bytes;
use common::db::Kind;
use sqlx::{AssertSqlSafe, FromRow, Row, any::AnyRow};

use super::Store;
pub use super::profile::Profile;

/// A delivery that this process holds the lease of.
#[derive(Clone, Debug)]
pub struct Claimed {
    pub id: String,
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
    pub body: Bytes,
    pub subscription_id: Option<String>,
    /// Who receives it; `None`: it is a batch's, and so is what follows.
    pub account_id: Option<String>,
    pub profile: Profile,
    /// One attempt only.
    pub once: bool,
    /// The event's name as JSON text.
    pub event: Option<String>,
    /// The sealed key that signs it, and the account's other one while that is valid.
    pub secret: Option<String>,
    pub other_secret: Option<String>,
}

impl Claimed {
    /// What the receiver tells repeats by: one subscriber may get one message several times on purpose, a batch never does.
    pub fn webhook_id(&self) -> &str {
        if self.account_id.is_some() { &self.id } else { &self.message_id }
    }

    /// Whether its attempts count for or against its account.
    pub fn counts(&self) -> Option<&str> {
        self.account_id.as_deref().filter(|_| self.subscription_id.is_some() && !self.once)
    }
}

impl FromRow<'_, AnyRow> for Claimed {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        let account_id: Option<String> = row.try_get("account_id")?;
        // A batch's rows have nothing there, and are many.
        let of_account = |name: &str| if account_id.is_some() { row.try_get(name) } else { Ok(None) };
        Ok(Self {
            id: row.try_get("id")?,
            message_id: row.try_get("message_id")?,
            endpoint_id: row.try_get("endpoint_id")?,
            batch_id: row.try_get("batch_id")?,
            step: row.try_get("step")?,
            busy: row.try_get("busy")?,
            cancelled: row.try_get::<i64, _>("cancelled")? != 0,
            leased_until_ms: row.try_get("due_ms")?,
            body: row.try_get::<String, _>("body")?.into(),
            subscription_id: of_account("subscription_id")?,
            event: of_account("event")?,
            secret: of_account("secret")?,
            other_secret: of_account("other_secret")?,
            profile: Profile::of(row.try_get("profile")?),
            once: row.try_get::<i64, _>("once")? != 0,
            account_id,
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

/// What a claim may take of one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub line: String,
    /// The places that its deliveries may take.
    pub limit: i64,
    /// Deliveries of each place.
    pub ahead: i64,
    /// Only the head may be taken, and only while nothing of the line is under way.
    pub in_order: bool,
}

impl Store {
    /// Claims at most so many due deliveries of each of these lines, the oldest first, in one statement.
    ///
    /// The lease test stands a second time outside the subselect: without it PostgreSQL hands one row to two workers.
    pub async fn claim(&self, lease: Lease<'_>, wanted: &[Wanted]) -> sqlx::Result<Vec<Claimed>> {
        let (heads, crowds): (Vec<&Wanted>, Vec<&Wanted>) = wanted.iter().partition(|wanted| wanted.in_order);
        let (crowd_arms, head_arms) = (arms(crowds.len()), arms(heads.len()));
        let mut query = sqlx::query_as(AssertSqlSafe(claim_sql(crowd_arms, head_arms, self.db.kind)))
            .bind(lease.until_ms)
            .bind(lease.holder)
            .bind(lease.now_ms);
        for arm in 0..crowd_arms {
            let (line, limit) =
                crowds.get(arm).map_or(("", 0), |wanted| (wanted.line.as_str(), wanted.limit * wanted.ahead));
            query = query.bind(line).bind(limit);
        }
        for arm in 0..head_arms {
            query = query.bind(heads.get(arm).map_or("", |wanted| wanted.line.as_str()));
        }
        query.fetch_all(&self.db.write).await
    }

    /// When the first of all deliveries that wait is due, or the first lease ends; `None`: nothing waits.
    pub async fn next_due_ms(&self) -> sqlx::Result<Option<i64>> {
        let sql = "select due_ms from deliveries where state = 0 and due_ms > -1 order by due_ms limit 1";
        sqlx::query_scalar(sql).fetch_optional(&self.db.read).await
    }

    /// Gives back what this holder claimed and does not send now after all.
    pub async fn give_back(&self, holder: &str, ids: &[String], now_ms: i64) -> sqlx::Result<()> {
        let sql = format!(
            "update deliveries set lease = null, due_ms = $1 where state = 0 and lease = $2 and id in ({})",
            common::db::list(3, ids.len())
        );
        let mut query = sqlx::query(AssertSqlSafe(sql)).bind(now_ms).bind(holder);
        for id in ids {
            query = query.bind(id);
        }
        query.execute(&self.db.write).await.map(drop)
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

/// So many places that few different statements are ever prepared.
fn arms(lines: usize) -> usize {
    if lines == 0 { 0 } else { lines.next_power_of_two() }
}

/// Where several producers claim at once, each passes over the rows that another has in hand; SQLite has one writer and needs no such words.
/// The rows are picked once, ahead of the update: a subselect in its place may run again for each row, and pick others each time.
fn claim_sql(crowds: usize, heads: usize, kind: Kind) -> String {
    let passing = if kind == Kind::Postgres { " for update skip locked" } else { "" };
    // A sum, because SQLite compiles a statement anew for each other value of a placeholder that is the whole limit.
    let crowd = |number: usize| {
        let (line, limit) = (2 * number + 4, 2 * number + 5);
        format!(
            "select id from (select id from deliveries where state = 0 and endpoint_id = ${line} and due_ms <= $3 \
             order by due_ms limit ${limit} + 0{passing}) a{number}"
        )
    };
    let arms: Vec<String> = (0..crowds).map(crowd).chain((0..heads).map(|number| head_sql(number, crowds))).collect();
    // What only subscriptions have is not even looked for in a batch.
    let of_account = |what: &str| format!("case when account_id is null then null else ({what}) end");
    let event = of_account("select event from messages where messages.id = deliveries.message_id");
    let secret = of_account("select sealed from secrets where secrets.id = deliveries.secret_id");
    let other = of_account(&other_secret("deliveries.account_id", "deliveries.secret_id", "$3"));
    format!(
        "with picked(id) as materialized ({}) \
         update deliveries set due_ms = $1, lease = $2 where id in (select id from picked) and state = 0 and due_ms <= $3 \
         returning id, message_id, endpoint_id, batch_id, step, busy, cancelled, due_ms, subscription_id, account_id, profile, once, \
         (select body from messages where messages.id = deliveries.message_id) as body, \
         {event} as event, {secret} as secret, {other} as other_secret",
        arms.join(" union all ")
    )
}

/// The account's key beside the one that signs, while it is valid.
pub(super) fn other_secret(account: &str, secret: &str, now_ms: &str) -> String {
    format!(
        "select sealed from secrets where secrets.account_id = {account} and secrets.id <> {secret} \
         and (expires_ms is null or expires_ms > {now_ms}) order by secrets.created_ms desc limit 1"
    )
}

/// The head of a line that keeps its order. What another producer has in hand is not passed over: the next one must not go before it.
fn head_sql(number: usize, crowds: usize) -> String {
    let line = 2 * crowds + 4 + number;
    format!(
        "select id from (select id, due_ms from deliveries where state = 0 and subscription_id is not null and endpoint_id = ${line} \
         order by id limit 1) h{number} where due_ms <= $3 and not exists (select 1 from deliveries where state = 0 \
         and endpoint_id = ${line} and due_ms > $3 and lease is not null)"
    )
}
