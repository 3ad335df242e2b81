//! The list of deliveries with its filters, and the page of one with every attempt.

use askama::Template;
use axum::{extract::State, response::Response};
use common::{
    page::{self, Stamp, grouped},
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::{
    attempt::{AttemptRow, SHOWN},
    choice::{Choice, choices},
    short,
    standing::{Pill, STATES, pill},
};
use crate::{
    App,
    extract::{self, Id, Params},
    report::Delivery,
    store::deliveries::{self, State as DeliveryState},
};

const DELIVERIES: i64 = 50;

/// What the filter form sends; `cursor` pages.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    state: String,
    batch: String,
    cursor: String,
}

impl Filter {
    fn href(&self, cursor: &str) -> String {
        let pairs = [("state", self.state.as_str()), ("batch", self.batch.trim()), ("cursor", cursor)];
        let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        format!("/deliveries?{}", Serializer::new(String::new()).extend_pairs(set).finish())
    }
}

struct Row {
    href: String,
    at: Stamp,
    pill: Pill,
    what: String,
    url: String,
    place: String,
}

#[derive(Template)]
#[template(path = "deliveries.html")]
struct DeliveriesPage {
    served_at: String,
    consumer_url: String,
    states: Vec<Choice>,
    batch: String,
    filtered: bool,
    deliveries: Vec<Row>,
    first: Option<String>,
    more: Option<String>,
}

/// `GET /deliveries`: newest first, or those of one batch in its order.
pub async fn list(State(app): State<App>, Params(filter): Params<Filter>) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let asked = extract::filter([&filter.batch, &filter.state, &filter.cursor], DELIVERIES)?;
    let (stored, next) = app.store.deliveries(&asked).await?;
    Ok(page::render(&DeliveriesPage {
        served_at: rfc3339(now_ms),
        consumer_url: super::consumer_url(&app),
        states: choices(&STATES, &filter.state),
        filtered: asked.batch.is_some() || asked.state.is_some(),
        deliveries: stored.iter().map(|stored| row(&app, stored, now_ms)).collect(),
        first: (!filter.cursor.is_empty()).then(|| filter.href("")),
        more: next.map(|cursor| filter.href(&cursor)),
        batch: filter.batch,
    }))
}

fn row(app: &App, stored: &deliveries::Delivery, now_ms: i64) -> Row {
    let delivery = Delivery::of(stored, app.settings.retry_schedule.attempts());
    let what = match (&delivery.owner, delivery.priority) {
        (Some(owner), Some(priority)) => format!("{owner}, {}", priority.as_str()),
        _ => "message".into(),
    };
    Row {
        href: format!("/deliveries/{}", stored.id),
        at: Stamp::of(stored.standing.updated_ms, now_ms),
        pill: pill(&stored.standing, now_ms),
        what,
        url: delivery.to,
        place: stored
            .batch_id
            .as_deref()
            .map_or_else(String::new, |batch| format!("{} #{}", short(batch), grouped(stored.position))),
    }
}

struct Link {
    href: String,
    label: String,
}

#[derive(Template)]
#[template(path = "delivery.html")]
struct DeliveryPage {
    served_at: String,
    consumer_url: String,
    short: String,
    row: Row,
    /// Whether more will happen by itself.
    unfinished: bool,
    retry: Option<String>,
    batch: Option<Link>,
    created: Stamp,
    next: Option<String>,
    message_id: String,
    attempts: Vec<AttemptRow>,
    body: String,
}

/// `GET /deliveries/{id}`.
pub async fn show(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let stored = app.store.delivery(&id).await?.ok_or_else(|| Problem::not_found("such delivery"))?;
    let attempts = app.store.attempts(&id, SHOWN).await?;
    let batch =
        stored.batch_id.as_deref().map(|batch| Link { href: format!("/batches/{batch}"), label: batch.to_owned() });
    Ok(page::render(&DeliveryPage {
        served_at: rfc3339(now_ms),
        consumer_url: super::consumer_url(&app),
        short: super::tail(&stored.id),
        row: row(&app, &stored, now_ms),
        unfinished: stored.standing.state == DeliveryState::Waiting,
        retry: stored.standing.can_retry().then(|| format!("/api/deliveries/{}/retry", stored.id)),
        batch,
        created: Stamp::of(stored.standing.created_ms, now_ms),
        next: stored.standing.next_ms().map(|next_ms| Stamp::of(next_ms, now_ms).absolute),
        message_id: stored.message_id,
        attempts: AttemptRow::all(attempts, now_ms),
        body: stored.body,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filter() {
        let filter = Filter { state: "failed".into(), batch: " b1 ".into(), ..Filter::default() };
        assert_eq!(filter.href("9"), "/deliveries?state=failed&batch=b1&cursor=9");
    }
}
