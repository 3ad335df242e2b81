//! How many, for who looks after an account or after all of them; and how a subscription did of late.

use sqlx::AssertSqlSafe;

use super::{
    Store,
    deliveries::State,
    log::{Asked, arms, conditions, first_id},
};

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
    /// `account`: `None` counts everybody's.
    pub async fn totals(&self, account: Option<&str>, since_ms: i64) -> sqlx::Result<Totals> {
        let whose = if account.is_some() { "account_id = $1" } else { "account_id is not null and $1 = ''" };
        let sql = format!(
            "select state, count(*) from deliveries where {whose} and state < 1 group by state union all \
             select state, count(*) from deliveries where {whose} and state > 0 and id >= $2 group by state"
        );
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(account.unwrap_or_default()).bind(first_id(since_ms));
        let counts: Vec<(i64, i64)> = query.fetch_all(&self.db.read).await?;
        let of = |state| counts.iter().find(|(found, _)| *found == state as i64).map_or(0, |(_, count)| *count);
        Ok(Totals {
            waiting: of(State::Waiting),
            held: of(State::Held),
            delivered: of(State::Delivered),
            failed: of(State::Failed),
        })
    }

    /// Over all accounts.
    pub async fn stored(&self) -> sqlx::Result<Stored> {
        let sql = "select (select count(*) from accounts), (select count(*) from accounts where disabled_ms is not null), \
                   (select count(*) from registrations), (select count(*) from subscriptions), \
                   (select count(*) from deliveries where state <> 1 and state = 2 and account_id is not null)";
        let (accounts, disabled, registrations, subscriptions, dead) =
            sqlx::query_as(sql).fetch_one(&self.db.read).await?;
        Ok(Stored { accounts, disabled, registrations, subscriptions, dead })
    }

    /// How many are found by what is asked for, its cursor aside; it counts to `most` and one more.
    pub async fn count_found(&self, asked: &Asked, most: i64) -> sqlx::Result<i64> {
        let (conditions, values) = conditions(&Asked { cursor: None, ..asked.clone() });
        let from = "from deliveries d join endpoints e on e.id = d.endpoint_id join messages m on m.id = d.message_id";
        let arms: Vec<String> = arms(asked.state)
            .iter()
            .map(|state| {
                format!(
                    "(select count(*) from (select 1 as one {from} where {conditions} and {state} limit $1) counted)"
                )
            })
            .collect();
        let sql = format!("select {}", arms.join(" + "));
        let query = sqlx::query_scalar(AssertSqlSafe(sql)).bind(most + 1);
        let counted: i64 =
            values.into_iter().fold(query, sqlx::query::QueryScalar::bind).fetch_one(&self.db.read).await?;
        Ok(counted.min(most + 1))
    }

    /// The newest deliveries of a subscription, oldest of them first: the state of each and its attempts.
    pub async fn recent(&self, subscription: &str, limit: i64) -> sqlx::Result<Vec<(State, i64)>> {
        let arm = |state: &str| {
            format!(
                "select * from (select id, state, attempts from deliveries where subscription_id = $1 and state {state} \
                 order by id desc limit $2) {}",
                if state == "< 1" { "open" } else { "ended" }
            )
        };
        let sql = format!("select * from ({} union all {}) found order by id desc limit $2", arm("< 1"), arm("> 0"));
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(subscription).bind(limit);
        let rows: Vec<(String, i64, i64)> = query.fetch_all(&self.db.read).await?;
        Ok(rows.into_iter().rev().map(|(_, state, attempts)| (State::of(state), attempts)).collect())
    }

    /// Changes whenever something moves among the newest deliveries; `account`: `None` looks at everybody's.
    pub async fn mark(&self, account: Option<&str>) -> sqlx::Result<String> {
        let whose = if account.is_some() { "account_id = $1" } else { "account_id is not null and $1 = ''" };
        let arm = |state: &str, name: &str| {
            format!(
                "(select coalesce(max(id), '') || cast(coalesce(max(updated_ms), 0) as text) || cast(count(*) as text) from \
                (select id, updated_ms from deliveries where {whose} and state {state} order by id desc limit 50) {name})"
            )
        };
        let sql = format!("select {} || {}", arm("< 1", "open"), arm("> 0", "ended"));
        sqlx::query_scalar(AssertSqlSafe(sql)).bind(account.unwrap_or_default()).fetch_one(&self.db.read).await
    }
}
