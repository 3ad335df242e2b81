//! Registrations as pages list them: without their data, with whose they are and how many are subscribed.

use sqlx::{AssertSqlSafe, FromRow};

use super::{
    Store,
    log::{ascii, escaped},
};

/// Rows on a page. It stands in the texts: PostgreSQL would take a parameter there for a tenth of the table.
pub const PAGE: i64 = 50;
/// Subscribers are counted up to here.
pub const MOST_COUNTED: i64 = 1000;

/// An event that can be subscribed to.
#[derive(Clone, Debug, FromRow)]
pub struct Offer {
    pub id: String,
    pub account_id: String,
    /// JSON texts.
    pub event: String,
    pub description: String,
    /// The name of the account as JSON text; `None`: the account is gone.
    pub owner: Option<String>,
    pub created_us: i64,
    /// At most one more than `MOST_COUNTED`.
    pub subscribers: i64,
    /// The newest subscription to it of the account that looks.
    pub subscription: Option<String>,
}

/// What the lower-case letters of a stored JSON text are like when the text is in it.
pub(super) fn pattern(text: &str) -> String {
    format!("%{}%", escaped(&ascii(&text.to_lowercase())))
}

/// `$1` is the account that looks.
fn sql(which: &str) -> String {
    format!(
        "select r.id, r.account_id, r.event, r.description, r.created_us, a.username as owner, \
         (select count(*) from (select 1 as one from subscriptions s where s.registration_id = r.id limit {}) counted) as subscribers, \
         (select s.id from subscriptions s where s.registration_id = r.id and s.account_id = $1 order by s.created_us desc limit 1) as subscription \
         from {which} page join registrations r on r.id = page.id left join accounts a on a.id = r.account_id \
         order by r.created_us desc, r.id desc",
        MOST_COUNTED + 1
    )
}

impl Store {
    /// One, as the account `viewer` sees it.
    pub async fn offer(&self, viewer: &str, id: &str) -> sqlx::Result<Option<Offer>> {
        let sql = sql("(select id from registrations where id = $2)");
        sqlx::query_as(AssertSqlSafe(sql)).bind(viewer).bind(id).fetch_optional(&self.db.read).await
    }

    /// One account's from place `start` on, the newest first; one more than fits on a page, when there are more.
    pub async fn offers_of(&self, account: &str, start: i64) -> sqlx::Result<Vec<Offer>> {
        let sql = sql(&format!(
            "(select id from registrations where account_id = $1 order by created_us desc, id desc limit {} offset $2)",
            PAGE + 1
        ));
        sqlx::query_as(AssertSqlSafe(sql)).bind(account).bind(start).fetch_all(&self.db.read).await
    }

    /// Everybody's whose name or description has the text in it, the newest first; an empty text is in all.
    pub async fn offers(&self, viewer: &str, text: &str, start: i64) -> sqlx::Result<Vec<Offer>> {
        let sql = sql(&format!(
            "(select id from registrations where $2 = '' or lower(event) like $3 escape '!' or lower(description) like $3 escape '!' \
             order by created_us desc, id desc limit {} offset $4)",
            PAGE + 1
        ));
        let query = sqlx::query_as(AssertSqlSafe(sql)).bind(viewer).bind(text).bind(pattern(text)).bind(start);
        query.fetch_all(&self.db.read).await
    }
}
