//! The delivery log of accounts: found by what is asked for, tried again, recovered, cancelled.

use sqlx::{AssertSqlSafe, FromRow, Row, any::AnyRow};

use super::{
    Store,
    deliveries::{Standing, State},
};

/// A delivery to an account.
#[derive(Clone, Debug)]
pub struct Logged {
    /// The `webhook-id`.
    pub id: String,
    pub account_id: String,
    /// `None`: it tells the account of something that happened to it.
    pub subscription_id: Option<String>,
    pub registration_id: Option<String>,
    /// `webhook`, `ping` or `operational`.
    pub kind: String,
    /// The event's name as JSON text.
    pub event: String,
    pub url: String,
    pub standing: Standing,
    pub body: String,
}

impl FromRow<'_, AnyRow> for Logged {
    fn from_row(row: &AnyRow) -> sqlx::Result<Self> {
        Ok(Self {
            id: row.try_get("id")?,
            account_id: row.try_get("account_id")?,
            subscription_id: row.try_get("subscription_id")?,
            registration_id: row.try_get("registration_id")?,
            kind: row.try_get("kind")?,
            event: row.try_get::<Option<String>, _>("event")?.unwrap_or_else(|| "null".into()),
            url: row.try_get("url")?,
            standing: Standing::from_row(row)?,
            body: row.try_get("body")?,
        })
    }
}

/// What is looked for; what is `None` is not asked for.
#[derive(Clone, Debug, Default)]
pub struct Asked {
    /// `None`: everybody's.
    pub account: Option<String>,
    pub subscription: Option<String>,
    pub state: Option<State>,
    /// The event's name as JSON text, `*` for any run of characters.
    pub event: Option<String>,
    /// The whole URL.
    pub endpoint: Option<String>,
    pub since_ms: Option<i64>,
    pub until_ms: Option<i64>,
    /// A part of the body, the URL, the event's name or the reason.
    pub text: Option<String>,
    /// The id of the last one of the page before.
    pub cursor: Option<String>,
    pub limit: i64,
}

/// What came of cancelling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cancelled {
    Done,
    /// It is being sent just now, and will not be sent again.
    InFlight,
    /// It is delivered, failed or cancelled already.
    Ended,
}

const FIELDS: &str = "select d.*, e.url, m.body, m.kind, m.event, m.registration_id \
    from deliveries d join endpoints e on e.id = d.endpoint_id join messages m on m.id = d.message_id";

impl Store {
    /// One delivery to an account.
    pub async fn logged(&self, id: &str) -> sqlx::Result<Option<Logged>> {
        let sql = format!("{FIELDS} where d.id = $1 and d.account_id is not null");
        sqlx::query_as(AssertSqlSafe(sql)).bind(id).fetch_optional(&self.db.read).await
    }

    /// A page of what is asked for, the newest first, and the cursor of the next one.
    pub async fn search(&self, asked: &Asked) -> sqlx::Result<(Vec<Logged>, Option<String>)> {
        let (conditions, values) = conditions(asked);
        // The limit stands in the text: PostgreSQL would take a parameter there for a tenth of the table.
        let most = asked.limit + 1;
        // What waits and what has ended lie in indexes of their own; each gives its newest.
        let arms: Vec<String> = arms(asked.state)
            .iter()
            .map(|state| {
                format!(
                    "select * from ({FIELDS} where {conditions} and {state} order by d.id desc limit {most}) {}",
                    alias(state)
                )
            })
            .collect();
        let sql = format!("select * from ({}) found order by id desc limit {most}", arms.join(" union all "));
        let query = sqlx::query_as(AssertSqlSafe(sql));
        let query = values.into_iter().fold(query, sqlx::query::QueryAs::bind);
        let mut found: Vec<Logged> = query.fetch_all(&self.db.read).await?;
        let limit = usize::try_from(asked.limit).unwrap_or(usize::MAX);
        let more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| more).map(|last| last.id.clone());
        Ok((found, next))
    }

    /// How many failed deliveries of the subscription were made since then.
    pub async fn recoverable(&self, subscription: &str, since_ms: i64) -> sqlx::Result<i64> {
        let sql = "select count(*) from deliveries where subscription_id = $1 and state > 0 and state = 2 and id >= $2";
        sqlx::query_scalar(sql).bind(subscription).bind(first_id(since_ms)).fetch_one(&self.db.read).await
    }

    /// Puts them all back in the queue, due now, with a fresh schedule; gives how many.
    pub async fn recover(&self, subscription: &str, since_ms: i64, now_ms: i64) -> sqlx::Result<u64> {
        let mut tx = self.db.write.begin().await?;
        let sql = "update deliveries set state = 0, step = 0, busy = 0, cancelled = 0, due_ms = $3, lease = null, updated_ms = $3 \
                   where subscription_id = $1 and state > 0 and state = 2 and id >= $2";
        let queued = sqlx::query(sql)
            .bind(subscription)
            .bind(first_id(since_ms))
            .bind(now_ms)
            .execute(&mut *tx)
            .await?
            .rows_affected();
        let resume = "update endpoints set state = 0, not_before_ms = 0 where subscription_id = $1 and (state <> 0 or not_before_ms > 0)";
        sqlx::query(resume).bind(subscription).execute(&mut *tx).await?;
        tx.commit().await?;
        Ok(queued)
    }

    /// Takes one delivery to an account out of the queue.
    pub async fn cancel_delivery(&self, id: &str, now_ms: i64) -> sqlx::Result<Cancelled> {
        let mut tx = self.db.write.begin().await?;
        let sql = "update deliveries set state = 3, lease = null, updated_ms = $2 where id = $1 and account_id is not null \
                   and (state = -1 or (state = 0 and (lease is null or due_ms <= $2)))";
        let taken = sqlx::query(sql).bind(id).bind(now_ms).execute(&mut *tx).await?.rows_affected();
        let under_way = "update deliveries set cancelled = 1 where id = $1 and account_id is not null and state = 0";
        let marked = sqlx::query(under_way).bind(id).execute(&mut *tx).await?.rows_affected();
        tx.commit().await?;
        Ok(match (taken, marked) {
            (0, 0) => Cancelled::Ended,
            (0, _) => Cancelled::InFlight,
            _ => Cancelled::Done,
        })
    }

    /// How many events are held for the account.
    pub async fn held(&self, account: &str) -> sqlx::Result<i64> {
        let sql = "select count(*) from deliveries where account_id = $1 and state < 1 and state = -1";
        sqlx::query_scalar(sql).bind(account).fetch_one(&self.db.read).await
    }
}

/// The words of the indexes' conditions stand in the text, so that they serve it.
pub(super) fn arms(state: Option<State>) -> Vec<String> {
    match state {
        None => vec!["d.state < 1".into(), "d.state > 0".into()],
        Some(state @ (State::Held | State::Waiting)) => vec![format!("d.state < 1 and d.state = {}", state as i64)],
        Some(state) => vec![format!("d.state > 0 and d.state = {}", state as i64)],
    }
}

fn alias(state: &str) -> &'static str {
    if state.starts_with("d.state <") { "open" } else { "ended" }
}

/// The conditions as text, and their values from `$1` on.
pub(super) fn conditions(asked: &Asked) -> (String, Vec<String>) {
    let (mut texts, mut values) = (vec!["d.account_id is not null".to_owned()], Vec::new());
    let mut with = |text: &str, value: Option<String>| {
        if let Some(value) = value {
            values.push(value);
            texts.push(text.replace('#', &format!("${}", values.len())));
        }
    };
    with("d.account_id = #", asked.account.clone());
    with("d.subscription_id = #", asked.subscription.clone());
    with("e.url = #", asked.endpoint.clone());
    with("d.id >= #", asked.since_ms.map(first_id));
    with("d.id < #", asked.until_ms.map(|until_ms| first_id(until_ms.saturating_add(1))));
    with("d.id < #", asked.cursor.clone());
    with("m.event like # escape '!'", asked.event.as_deref().map(|event| escaped(event).replace('*', "%")));
    let text = "(m.body like # escape '!' or e.url like # escape '!' or m.event like # escape '!' or d.reason like # escape '!')";
    with(text, asked.text.as_deref().map(|text| format!("%{}%", escaped(&ascii(text)))));
    (texts.join(" and "), values)
}

/// The text as stored JSON has it: letters beyond ASCII as `\uXXXX`.
pub(super) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_ascii() {
            out.push(letter);
        } else {
            out.extend(letter.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

pub(super) fn escaped(text: &str) -> String {
    text.replace('!', "!!").replace('%', "!%").replace('_', "!_")
}

/// The least id that a delivery of that time can have: ids are version 7 UUIDs, which begin with the time. After a
/// clock was set back they are ahead of it, until what waited then is sent and the program starts again.
pub(super) fn first_id(at_ms: i64) -> String {
    let at_ms = at_ms.clamp(0, (1 << 48) - 1);
    format!("{:08x}-{:04x}-", at_ms >> 16, at_ms & 0xffff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_bounded_by_time() {
        let id = uuid::Uuid::now_v7();
        let at_ms = i64::try_from(id.get_timestamp().unwrap().to_unix().0 * 1000).unwrap();
        assert!(first_id(at_ms) <= id.to_string() && id.to_string() < first_id(at_ms + 1000));
    }

    #[test]
    fn what_is_looked_for_is_no_pattern() {
        assert_eq!(ascii("zoë 😀"), "zo\\u00eb \\ud83d\\ude00");
        let asked = Asked { text: Some("50%_!".into()), event: Some("a_*".into()), ..Asked::default() };
        let (text, values) = conditions(&asked);
        assert_eq!(values, ["a!_%", "%50!%!_!!%"]);
        assert!(text.contains("m.event like $1 ") && text.contains("m.body like $2 "), "{text}");
    }
}
