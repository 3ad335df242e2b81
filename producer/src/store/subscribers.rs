//! Who gets an event, with what a delivery to each needs.

use sqlx::{AssertSqlSafe, FromRow, Row, any::AnyRow};

use super::{Store, accounts::endpoint_url, endpoints::Waiting, profile::Profile};

/// A subscription with what a delivery to it needs.
#[derive(Clone, Debug)]
pub struct Subscriber {
    pub subscription_id: String,
    pub account_id: String,
    pub secret_id: String,
    /// The sealed key of that id, and the account's other one while that is valid.
    pub secret: Option<String>,
    pub other_secret: Option<String>,
    pub profile: Profile,
    /// JSON text.
    pub filter: Option<String>,
    pub url: String,
    /// The line to this URL; `None`: nothing was ever sent there.
    pub line: Option<Waiting>,
    pub failed_count: i64,
    /// The worker of this process has a place for it: it is leased from the beginning, and sent without being claimed.
    pub at_once: bool,
}

impl Subscriber {
    /// The line that it may be sent on at once, as far as the store tells: nothing limits it, holds it, or keeps it in order.
    pub fn free_line(&self, max_failed_count: i64, now_ms: i64) -> Option<&str> {
        let line =
            self.line.as_ref().filter(|line| line.is_free() && line.down.is_none() && line.not_before_ms <= now_ms);
        line.filter(|_| self.failed_count < max_failed_count).map(|line| line.id.as_str())
    }
}

impl Store {
    /// Who is subscribed to a registration, in the order they subscribed; without those whose account is gone or has no endpoint.
    pub async fn subscribers(&self, registration: &str, now_ms: i64) -> sqlx::Result<Vec<Subscriber>> {
        self.find_subscribers("s.registration_id = $1", (registration, now_ms)).await
    }

    /// One subscription; `None`: it, its account or its endpoint is gone.
    pub async fn subscriber(&self, subscription: &str, now_ms: i64) -> sqlx::Result<Option<Subscriber>> {
        self.find_subscribers("s.id = $1", (subscription, now_ms)).await.map(|found| found.into_iter().next())
    }

    async fn find_subscribers(&self, which: &str, (id, now_ms): (&str, i64)) -> sqlx::Result<Vec<Subscriber>> {
        let sql = format!(
            "select s.id as own_id, s.account_id as whose, s.profile, s.filter, a.endpoint, a.failed_count, a.secret_id, k.sealed as secret, \
             (select sealed from secrets where secrets.account_id = a.id and secrets.id <> a.secret_id \
              and (expires_ms is null or expires_ms > $2) order by secrets.created_ms desc limit 1) as other_secret, \
             e.id, e.url, e.state, e.not_before_ms, e.down, null as next_due_ms, s.fifo, s.headers, e.subscription_id, \
             s.rate_per_minute as subscription_rate, null as subscription_slot_us, e.account_id, \
             a.rate_per_minute as account_rate, null as account_slot_us \
             from subscriptions s join accounts a on a.id = s.account_id left join secrets k on k.id = a.secret_id \
             left join endpoints e on e.subscription_id = s.id where {which} order by s.created_us, s.id"
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(now_ms).fetch_all(&self.db.read).await?;
        let mut found: Vec<Subscriber> = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(url) = endpoint_url(row.try_get("endpoint")?) else { continue };
            let line = line(row, &url)?;
            let subscription_id: String = row.try_get("own_id")?;
            // A subscription has a row for each line it ever had.
            match found.last_mut().filter(|last| last.subscription_id == subscription_id) {
                Some(last) => last.line = last.line.take().or(line),
                None => found.push(subscriber(row, (subscription_id, url, line))?),
            }
        }
        Ok(found)
    }
}

fn line(row: &AnyRow, url: &str) -> sqlx::Result<Option<Waiting>> {
    let at: Option<String> = row.try_get("url")?;
    at.filter(|at| at == url).map(|_| Waiting::from_row(row)).transpose()
}

fn subscriber(
    row: &AnyRow,
    (subscription_id, url, line): (String, String, Option<Waiting>),
) -> sqlx::Result<Subscriber> {
    Ok(Subscriber {
        subscription_id,
        account_id: row.try_get("whose")?,
        secret_id: row.try_get("secret_id")?,
        secret: row.try_get("secret")?,
        other_secret: row.try_get("other_secret")?,
        profile: Profile::of(row.try_get("profile")?),
        filter: row.try_get("filter")?,
        url,
        line,
        failed_count: row.try_get::<Option<i64>, _>("failed_count")?.unwrap_or(0),
        at_once: false,
    })
}
