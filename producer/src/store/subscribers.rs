//! Who gets an event, with what a delivery to each needs.

use sqlx::{AssertSqlSafe, Row, any::AnyRow};

use super::{Store, accounts::endpoint_url, endpoints::Waiting, profile::Profile, queue::other_secret};

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
    pub line: Option<String>,
    /// As far as the store tells it may be sent to at once: nothing limits the line, holds it, or keeps it in order.
    pub is_free: bool,
    /// The subscription's own headers: a JSON object.
    pub headers: Option<String>,
    pub failed_count: i64,
    /// The worker of this process has a place for it: it is leased from the beginning, and sent without being claimed.
    pub at_once: bool,
}

impl Subscriber {
    /// The line that it may be sent on at once.
    pub fn free_line(&self, max_failed_count: i64) -> Option<&str> {
        self.line.as_deref().filter(|_| self.is_free && self.failed_count < max_failed_count)
    }

    /// The line as the worker knows it.
    pub fn waiting(&self) -> Option<Waiting> {
        let (id, url, headers) = (self.line.clone()?, self.url.clone(), self.headers.clone());
        Some(Waiting {
            id,
            url,
            stopped: false,
            not_before_ms: 0,
            down: None,
            next_due_ms: 0,
            in_order: false,
            limits: Vec::new(),
            headers,
        })
    }

    /// Takes over the line of this row if it goes to the URL of today.
    fn learn_line(&mut self, row: &AnyRow) -> sqlx::Result<()> {
        let at: Option<String> = row.try_get("line_url")?;
        if self.line.is_none() && at.is_some_and(|at| at == self.url) {
            self.line = row.try_get("line")?;
            self.is_free = row.try_get::<i64, _>("is_free")? != 0;
        }
        Ok(())
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
             ({}) as other_secret, \
             s.headers, e.id as line, e.url as line_url, \
             case when e.state = 0 and e.down is null and e.not_before_ms <= $2 and coalesce(s.fifo, 0) = 0 \
              and coalesce(s.rate_per_minute, 0) = 0 and coalesce(a.rate_per_minute, 0) = 0 then 1 else 0 end as is_free \
             from subscriptions s join accounts a on a.id = s.account_id left join secrets k on k.id = a.secret_id \
             left join endpoints e on e.subscription_id = s.id where {which} order by s.created_us, s.id",
            other_secret("a.id", "a.secret_id", "$2")
        );
        let rows = sqlx::query(AssertSqlSafe(sql)).bind(id).bind(now_ms).fetch_all(&self.db.read).await?;
        let mut found: Vec<Subscriber> = Vec::with_capacity(rows.len());
        for row in &rows {
            let Some(url) = endpoint_url(row.try_get("endpoint")?) else { continue };
            let subscription_id: String = row.try_get("own_id")?;
            // A subscription has a row for each line it ever had.
            let known = found.last().is_some_and(|last| last.subscription_id == subscription_id);
            if !known {
                found.push(subscriber(row, (subscription_id, url))?);
            }
            if let Some(last) = found.last_mut() {
                last.learn_line(row)?;
            }
        }
        Ok(found)
    }
}

fn subscriber(row: &AnyRow, (subscription_id, url): (String, String)) -> sqlx::Result<Subscriber> {
    Ok(Subscriber {
        subscription_id,
        account_id: row.try_get("whose")?,
        secret_id: row.try_get("secret_id")?,
        secret: row.try_get("secret")?,
        other_secret: row.try_get("other_secret")?,
        profile: Profile::of(row.try_get("profile")?),
        filter: row.try_get("filter")?,
        url,
        line: None,
        is_free: false,
        headers: row.try_get("headers")?,
        failed_count: row.try_get::<Option<i64>, _>("failed_count")?.unwrap_or(0),
        at_once: false,
    })
}
