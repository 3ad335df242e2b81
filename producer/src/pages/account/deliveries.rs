//! The deliveries explorer: what was sent to an account, found by what is asked for; an administrator sees everybody's.

use askama::Template;
use axum::{extract::State, response::Response};
use common::{
    page::{self, Stamp, plural},
    problem::Problem,
    time::now_ms,
};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{
    super::{
        choice::{Choice, choices},
        standing::{Pill, STATES, pill},
    },
    session::{Head, Session},
    words::{SPANS, counted, plain, since_ms},
};
use crate::{
    App, canonical,
    extract::Params,
    store::{
        deliveries::State as DeliveryState,
        log::{Asked, Logged},
    },
};

const SHOWN: i64 = 50;
/// Matches are counted up to here.
const MOST_COUNTED: i64 = 1000;

/// What the filter form sends; `cursor` pages.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    status: String,
    since: String,
    event: String,
    subscription: String,
    endpoint: String,
    /// Administrators only: one account's.
    account: String,
    q: String,
    cursor: String,
}

impl Filter {
    fn href(&self, cursor: &str) -> String {
        let set = self.pairs().into_iter().chain([("cursor", cursor)]).filter(|(_, value)| !value.is_empty());
        format!("/account/deliveries?{}", Serializer::new(String::new()).extend_pairs(set).finish())
    }

    fn pairs(&self) -> [(&'static str, &str); 7] {
        [
            ("status", self.status.as_str()),
            ("since", &self.since),
            ("event", &self.event),
            ("subscription", &self.subscription),
            ("endpoint", &self.endpoint),
            ("account", &self.account),
            ("q", &self.q),
        ]
    }

    fn asked(&self, session: &Session, now_ms: i64) -> Result<Asked, Problem> {
        let get = |text: &str| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
        let state = DeliveryState::ALL.into_iter().find(|known| known.as_str() == self.status);
        if state.is_none() && !self.status.is_empty() {
            return Err(Problem::bad_request("status: choose one of the list.").with("field", "status"));
        }
        Ok(Asked {
            account: if session.account.is_admin { get(&self.account) } else { Some(session.account.id.clone()) },
            subscription: get(&self.subscription),
            state,
            event: get(&self.event).map(|event| canonical::quoted(&event)),
            endpoint: get(&self.endpoint),
            since_ms: since_ms(&self.since, now_ms),
            until_ms: None,
            text: get(&self.q),
            cursor: get(&self.cursor),
            limit: SHOWN,
        })
    }
}

/// A delivery in the list.
struct Row {
    id: String,
    pill: Pill,
    at: Stamp,
    event: String,
    kind: &'static str,
    url: String,
    tries: String,
}

impl Row {
    fn of(app: &App, stored: &Logged, now_ms: i64) -> Self {
        Self {
            id: stored.id.clone(),
            pill: pill(&stored.standing, now_ms),
            at: Stamp::of(stored.standing.created_ms, now_ms),
            event: plain(&stored.event),
            kind: kind(stored),
            url: stored.url.clone(),
            tries: tries(app, stored),
        }
    }
}

/// What is no ordinary event, in a word.
pub fn kind(stored: &Logged) -> &'static str {
    match stored.kind.as_str() {
        "ping" => "test",
        "operational" => "operational",
        _ => "",
    }
}

/// `2 of 4`: attempts made of those that its schedule has.
pub fn tries(app: &App, stored: &Logged) -> String {
    let most = stored.standing.profile.attempts(stored.standing.once, app.settings.retry_schedule.attempts());
    match stored.standing.attempts {
        0 => String::new(),
        made if usize::try_from(made).is_ok_and(|made| made > most) => plural(made, "attempt"),
        made => format!("{made} of {most}"),
    }
}

#[derive(Template)]
#[template(path = "account_deliveries.html")]
struct DeliveriesPage {
    head: Head,
    filter: Filter,
    states: Vec<Choice>,
    spans: Vec<Choice>,
    filtered: bool,
    count: String,
    rows: Vec<Row>,
    first: Option<String>,
    more: Option<String>,
}

/// `GET /account/deliveries`: the newest first.
pub async fn list(
    State(app): State<App>,
    session: Session,
    Params(filter): Params<Filter>,
) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let asked = filter.asked(&session, now_ms)?;
    let (found, next) = app.store.search(&asked).await?;
    let count = count(&app, &asked, (found.len(), next.is_some())).await?;
    Ok(page::render(&DeliveriesPage {
        head: session.head(now_ms),
        states: choices(&STATES, &filter.status),
        spans: choices(&SPANS, &filter.since),
        filtered: filter.pairs().iter().any(|(_, value)| !value.is_empty()),
        count,
        rows: found.iter().map(|stored| Row::of(&app, stored, now_ms)).collect(),
        first: (!filter.cursor.is_empty()).then(|| filter.href("")),
        more: next.map(|cursor| filter.href(&cursor)),
        filter,
    }))
}

/// How many are found. A text may stand anywhere, so that counting would read everything: then only what is shown is counted.
async fn count(app: &App, asked: &Asked, (shown, more): (usize, bool)) -> Result<String, Problem> {
    if asked.text.is_some() || asked.event.is_some() {
        let shown = plural(i64::try_from(shown).unwrap_or(i64::MAX), "delivery");
        return Ok(if more || asked.cursor.is_some() { format!("{shown} on this page") } else { shown });
    }
    let count = app.store.count_found(asked, MOST_COUNTED).await?;
    Ok(if count > MOST_COUNTED {
        format!("{} deliveries", counted(count, MOST_COUNTED))
    } else {
        plural(count, "delivery")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filter() {
        let filter = Filter { status: "failed".into(), since: "24h".into(), event: "a.*".into(), ..Filter::default() };
        assert_eq!(filter.href("9"), "/account/deliveries?status=failed&since=24h&event=a.*&cursor=9");
    }
}
