//! How many, for who looks after an account or after all of them; and how a subscription did of late.

use sqlx::AssertSqlSafe;

use super::{
    Store,
    deliveries::State,
    log::{Asked, arms, conditions, first_id},
};

/// Deliveries in a picture of a subscription's health.
pub const RECENT: usize = 30;
/// Deliveries are counted up to here.
pub const MOST_COUNTED: i64 = 100_000;

/// Deliveries to an account, or to all accounts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    pub waiting: i64,
    pub held: i64,
    /// Of those that were triggered since the time that was asked for.
    pub delivered: i64,
    pub failed: i64,
}

/// What is stored beside the deliveries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stored {
    pub accounts: i64,
    pub disabled: i64,
    pub registrations: i64,
    pub subscriptions: i64,
    /// Dead letters, of accounts, of all times.
    pub dead: i64,
}

impl Store {
    /// `account`: `None` counts everybody's. Each counts to `MOST_COUNTED` and one more.
    pub async fn totals(&self, account: Option<&str>, since_ms: i64) -> sqlx::Result<Totals> {
        let whose = whose(account);
        let count = |state: State, of: &str| {
            let number = state as i64;
            format!(
                "(select count(*) from (select 1 as one from deliveries where {whose} and {of} and state = {number} limit {}) counted)",
                MOST_COUNTED + 1
            )
        };
        let (open, ended) = (open(account), "state > 0 and id >= $2");
        let sql = format!(
            "select {}, {}, {}, {}",
            count(State::Waiting, open),
            count(State::Held, open),
            count(State::Delivered, ended),
            count(State::Failed, ended)
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(account.unwrap_or_default()).bind(first_id(since_ms));
        let (waiting, held, delivered, failed) = query.fetch_one(&self.db.read).await?;
        Ok(Totals { waiting, held, delivered, failed })
    }

    /// Over all accounts.
    pub async fn stored(&self, max_failed_count: i64) -> sqlx::Result<Stored> {
        let sql = "select (select count(*) from accounts), (select count(*) from accounts where failed_count >= $1), \
                   (select count(*) from registrations), (select count(*) from subscriptions), \
                   (select count(*) from deliveries where state <> 1 and state = 2 and account_id is not null)";
        let (accounts, disabled, registrations, subscriptions, dead) =
            sqlx::query_as(sql).bind(max_failed_count).fetch_one(&self.db.read).await?;
        Ok(Stored { accounts, disabled, registrations, subscriptions, dead })
    }

    /// How many are found by what is asked for, its cursor aside; it counts to `most` and one more.
    pub async fn count_found(&self, asked: &Asked, most: i64) -> sqlx::Result<i64> {
        let (conditions, values) = conditions(&Asked { cursor: None, ..asked.clone() });
        let end = most + 1;
        let from = "from deliveries d join endpoints e on e.id = d.endpoint_id join messages m on m.id = d.message_id";
        let arms: Vec<String> = arms(asked.state)
            .iter()
            .map(|state| {
                format!(
                    "(select count(*) from (select 1 as one {from} where {conditions} and {state} limit {end}) counted)"
                )
            })
            .collect();
        let sql = format!("select {}", arms.join(" + "));
        let query = sqlx::query_scalar(AssertSqlSafe(sql));
        let counted: i64 =
            values.into_iter().fold(query, sqlx::query::QueryScalar::bind).fetch_one(&self.db.read).await?;
        Ok(counted.min(end))
    }

    /// The newest deliveries of a subscription, at most 30, oldest of them first: the state of each and its attempts.
    pub async fn recent(&self, subscription: &str) -> sqlx::Result<Vec<(State, i64)>> {
        let arm = |state: &str, name: &str| {
            format!(
                "select * from (select id, state, attempts from deliveries where subscription_id = $1 and state {state} \
                 order by id desc limit {RECENT}) {name}"
            )
        };
        let (open, ended) = (arm("< 1", "open"), arm("> 0", "ended"));
        let sql = format!("select * from ({open} union all {ended}) found order by id desc limit {RECENT}");
        let rows: Vec<(String, i64, i64)> =
            sqlx::query_as(AssertSqlSafe(sql)).bind(subscription).fetch_all(&self.db.read).await?;
        Ok(rows.into_iter().rev().map(|(_, state, attempts)| (State::of(state), attempts)).collect())
    }

    /// Changes whenever something moves among the newest deliveries; `account`: `None` looks at everybody's.
    pub async fn mark(&self, account: Option<&str>) -> sqlx::Result<String> {
        let whose = if account.is_some() { "account_id = $1" } else { "$1 = ''" };
        let arm = |state: &str, name: &str| {
            format!(
                "(select coalesce(max(id), '') || cast(coalesce(max(updated_ms), 0) as text) || cast(count(*) as text) from \
                 (select id, updated_ms from deliveries where {whose} and {state} order by id desc limit 50) {name})"
            )
        };
        // Of everybody's, the newest fifty of any state and kind are as good, and the primary key gives them at once.
        let sql = match account {
            Some(_) => format!("select {} || {}", arm("state < 1", "open"), arm("state > 0", "ended")),
            None => format!("select {}", arm("state < 4", "newest")),
        };
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(account.unwrap_or_default()).fetch_one(&self.db.read).await
    }
}

fn whose(account: Option<&str>) -> &'static str {
    if account.is_some() { "account_id = $1" } else { "account_id is not null and $1 = ''" }
}

/// What has not ended, in the words of the index that finds it.
fn open(account: Option<&str>) -> &'static str {
    if account.is_some() { "state < 1" } else { "state <> 1" }
}
