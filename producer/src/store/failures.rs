//! How each account's endpoint does: failed attempts since the last success, disabled at the limit, and what is held meanwhile.

use std::collections::BTreeMap;

use common::time::rfc3339;
use sqlx::{AnyConnection, AssertSqlSafe, FromRow};

use super::{
    Store, chunks,
    endpoints::{self, Line},
    ids::fresh_id,
    made::{Made, Outcome},
};

/// What attempts told of an account, in the order it was learnt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Learnt {
    succeeded: bool,
    /// Failed attempts, after the last success when there was one.
    failed: i64,
}

/// An account as it is when its failures were counted.
#[derive(FromRow)]
struct Counted {
    failed_count: i64,
    /// As JSON text.
    endpoint: String,
    operational_url: Option<String>,
    secret_id: String,
}

impl Store {
    /// Releases what was held a moment too late: the account was enabled again while an event for it was stored.
    pub async fn release_late(&self, account: &str, (max_failed_count, now_ms): (i64, i64)) -> sqlx::Result<u64> {
        let mut tx = self.db.write.begin().await?;
        let sql = "update accounts set failed_count = failed_count where id = $1 and failed_count < $2";
        let enabled = sqlx::query(sql).bind(account).bind(max_failed_count).execute(&mut *tx).await?;
        let released = if enabled.rows_affected() > 0 { release(&mut tx, account, now_ms).await? } else { 0 };
        tx.commit().await?;
        Ok(released)
    }
}

/// Counts the attempts for and against their accounts, in the order of these so that two producers cannot wait for each other.
pub(super) async fn count(
    connection: &mut AnyConnection,
    made: &[Made],
    max_failed_count: i64,
    now_ms: i64,
) -> sqlx::Result<()> {
    let learnt = learn(made);
    let healthy: Vec<&str> =
        learnt.iter().filter(|(_, learnt)| learnt.succeeded).map(|(account, _)| *account).collect();
    let recovering = recovering(connection, &healthy).await?;
    for (account, learnt) in learnt {
        if recovering.iter().any(|recovering| recovering == account) {
            recover(connection, account, now_ms).await?;
        }
        if learnt.failed > 0 {
            fail(connection, (account, learnt.failed), max_failed_count, now_ms).await?;
        }
    }
    Ok(())
}

fn learn(made: &[Made]) -> BTreeMap<&str, Learnt> {
    let mut counting: Vec<(&str, &Made)> = made
        .iter()
        .filter_map(|made| Some((made.claimed.counts()?, made)))
        .filter(|(_, made)| made.was_tried())
        .collect();
    counting.sort_by_key(|(_, made)| made.at_ms + made.duration_ms);
    let mut learnt: BTreeMap<&str, Learnt> = BTreeMap::new();
    for (account, made) in counting {
        let learnt = learnt.entry(account).or_default();
        if made.outcome == Outcome::Delivered {
            *learnt = Learnt { succeeded: true, failed: 0 };
        } else {
            learnt.failed += 1;
        }
    }
    learnt
}

/// Those of the accounts that have failures to forget: most have none, and are not written.
async fn recovering(connection: &mut AnyConnection, accounts: &[&str]) -> sqlx::Result<Vec<String>> {
    let mut found = Vec::new();
    for chunk in chunks(accounts, |_| 40) {
        let sql = format!(
            "select id from accounts where id in (values {}) and (failed_count is null or failed_count <> 0 or disabled_ms is not null)",
            common::db::values(connection, chunk.len(), 1)
        );
        let query = chunk.iter().fold(sqlx::query_scalar(AssertSqlSafe(sql)), |query, account| query.bind(*account));
        found.extend(query.fetch_all(&mut *connection).await?);
    }
    Ok(found)
}

/// A success: nothing failed since, and what was held goes out.
async fn recover(connection: &mut AnyConnection, account: &str, now_ms: i64) -> sqlx::Result<()> {
    let sql = "update accounts set failed_count = 0 where id = $1 and (failed_count is null or failed_count <> 0)";
    sqlx::query(sql).bind(account).execute(&mut *connection).await?;
    let enable = "update accounts set disabled_ms = null where id = $1 and disabled_ms is not null";
    if sqlx::query(enable).bind(account).execute(&mut *connection).await?.rows_affected() > 0 {
        release(connection, account, now_ms).await?;
    }
    Ok(())
}

/// Failed attempts; the one that reaches the limit disables the account, which is told of it when it wants to be.
async fn fail(
    connection: &mut AnyConnection,
    (account, failed): (&str, i64),
    max_failed_count: i64,
    now_ms: i64,
) -> sqlx::Result<()> {
    let sql = "update accounts set failed_count = coalesce(failed_count, 0) + $2 where id = $1 \
               returning failed_count, endpoint, operational_url, secret_id";
    let counted: Option<Counted> =
        sqlx::query_as(sql).bind(account).bind(failed).fetch_optional(&mut *connection).await?;
    let crossed = |count: i64| count - failed < max_failed_count && max_failed_count <= count;
    let Some(counted) = counted.filter(|counted| crossed(counted.failed_count)) else { return Ok(()) };
    let disable = "update accounts set disabled_ms = $2 where id = $1";
    sqlx::query(disable).bind(account).bind(now_ms).execute(&mut *connection).await?;
    tracing::warn!(
        account.id = account,
        failed_count = counted.failed_count,
        "an endpoint is disabled; what comes for it is held"
    );
    match &counted.operational_url {
        Some(url) => tell(connection, (account, url), &counted, now_ms).await,
        None => Ok(()),
    }
}

/// Queues the event that says that the endpoint was disabled.
async fn tell(
    connection: &mut AnyConnection,
    (account, url): (&str, &str),
    counted: &Counted,
    now_ms: i64,
) -> sqlx::Result<()> {
    // No account stands on the line: what the endpoint allows is no limit here.
    let subscription = format!("operational:{account}");
    let line = endpoints::line(connection, &Line { url, subscription: &subscription, account: None }, now_ms).await?;
    let message = fresh_id();
    let insert = "insert into messages (id, kind, body, event, created_ms) values ($1, 'operational', $2, '\"endpoint.disabled\"', $3)";
    sqlx::query(insert)
        .bind(&message)
        .bind(disabled_event(account, counted, now_ms))
        .bind(now_ms)
        .execute(&mut *connection)
        .await?;
    let insert = "insert into deliveries (id, message_id, endpoint_id, due_ms, created_ms, updated_ms, account_id, secret_id, profile) \
                  values ($1, $2, $3, $4, $4, $4, $5, $6, 2)";
    sqlx::query(insert)
        .bind(fresh_id())
        .bind(message)
        .bind(line)
        .bind(now_ms)
        .bind(account)
        .bind(&counted.secret_id)
        .execute(connection)
        .await
        .map(drop)
}

/// As it is sent; the endpoint is JSON already.
fn disabled_event(account: &str, counted: &Counted, now_ms: i64) -> String {
    format!(
        r#"{{"account_id": "{account}", "disabled_at": "{}", "endpoint": {}, "failed_count": {}, "type": "endpoint.disabled"}}"#,
        rfc3339(now_ms),
        counted.endpoint,
        counted.failed_count
    )
}

/// Puts what is held for the account in the queue, in its order, on the lines of the account's present endpoint, which are enabled when they were
/// stopped; gives how many. It keeps the time it was due at: that is past, and what was first stays first.
///
/// 0 as well when there is no such account, or its endpoint is no URL at all: then it stays held.
pub(super) async fn release(connection: &mut AnyConnection, account: &str, now_ms: i64) -> sqlx::Result<u64> {
    let endpoint = "select endpoint from accounts where id = $1";
    let endpoint: Option<String> = sqlx::query_scalar(endpoint).bind(account).fetch_optional(&mut *connection).await?;
    let url = endpoint.and_then(|endpoint| serde_json::from_str::<String>(&endpoint).ok());
    let Some(url) = url.filter(|url| !url.is_empty()) else { return Ok(0) };
    let held = "select distinct subscription_id from deliveries where account_id = $1 and state = -1 and state < 1 \
                and subscription_id is not null order by subscription_id";
    let subscriptions: Vec<String> = sqlx::query_scalar(held).bind(account).fetch_all(&mut *connection).await?;
    let mut released = 0;
    for subscription in subscriptions {
        let line = Line { url: &url, subscription: &subscription, account: Some(account) };
        let line = endpoints::line(connection, &line, now_ms).await?;
        endpoints::resume_line(connection, &line).await?;
        let release = "update deliveries set state = 0, lease = null, endpoint_id = $3, updated_ms = $4, \
                       due_ms = case when due_ms < $4 then due_ms else $4 end \
                       where subscription_id = $2 and account_id = $1 and state = -1 and state < 1";
        let query = sqlx::query(release).bind(account).bind(subscription).bind(line).bind(now_ms);
        released += query.execute(&mut *connection).await?.rows_affected();
    }
    Ok(released)
}
