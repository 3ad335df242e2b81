//! The list of events with its filters, and the page of one event.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    http::HeaderMap,
    response::Response,
};
use common::{
    page::{self, plural},
    problem::Problem,
    time::{now_ms, rfc3339},
};
use form_urlencoded::Serializer;
use serde::Deserialize;
use serde_json::Value;

use super::row::EventRow;
use crate::{
    App,
    event::Rank,
    store::{
        counts,
        events::{self, Search},
    },
};

const EVENTS: i64 = 50;
/// Anybody who may post may name a source.
const SOURCES: usize = 500;

/// What the filter form sends; `before` pages.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    q: String,
    priority: String,
    source: String,
    before: String,
}

impl Filter {
    fn is_set(&self) -> bool {
        !(self.q.is_empty() && self.priority.is_empty() && self.source.is_empty())
    }

    /// The address of this list with another beginning.
    fn href(&self, before: Option<i64>) -> String {
        let before = before.map(|offset| offset.to_string()).unwrap_or_default();
        let pairs = [("q", &self.q), ("priority", &self.priority), ("source", &self.source), ("before", &before)];
        let set = pairs.into_iter().filter(|(_, value)| !value.is_empty());
        format!("/events?{}", Serializer::new(String::new()).extend_pairs(set).finish())
    }

    fn search(&self) -> Search {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Search {
            before: self.before.parse().unwrap_or(i64::MAX),
            newest_first: true,
            // One more than is shown tells whether there is an older page.
            limit: EVENTS + 1,
            source: given(&self.source),
            ranks: self.priority.split(',').filter_map(Rank::from_name).collect(),
            text: given(&self.q),
            ..Search::default()
        }
    }
}

/// One entry of a select box.
struct Choice {
    value: String,
    label: String,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "events.html")]
struct EventsPage {
    served_at: String,
    producer_url: String,
    curl: String,
    summary: String,
    filter: Filter,
    filtered: bool,
    priorities: Vec<Choice>,
    sources: Vec<Choice>,
    events: Vec<EventRow>,
    newer: Option<String>,
    older: Option<String>,
}

/// `GET /events`.
pub async fn list(
    State(app): State<App>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let mut found = events::find(&app.db, &filter.search()).await?;
    let more = found.len() > usize::try_from(EVENTS).unwrap_or(usize::MAX);
    found.truncate(usize::try_from(EVENTS).unwrap_or(usize::MAX));
    let sources = counts::all(&app.db).await?;
    let total: i64 = sources.iter().flat_map(|source| source.tally).sum();
    let choice = |value: &str, chosen: &str| Choice {
        value: value.to_owned(),
        label: if value == "other" { "Other".to_owned() } else { value.to_owned() },
        chosen: value == chosen,
    };
    Ok(page::render(&EventsPage {
        served_at: rfc3339(now_ms),
        producer_url: app.config.producer_url.clone(),
        curl: super::curl(&headers),
        summary: summary(&filter, found.len(), more, total),
        filtered: filter.is_set(),
        priorities: Rank::ALL.iter().map(|rank| choice(rank.as_str(), &filter.priority)).collect(),
        sources: sources.iter().take(SOURCES).map(|source| choice(&source.source, &filter.source)).collect(),
        newer: (!filter.before.is_empty()).then(|| filter.href(None)),
        older: found.last().filter(|_| more).map(|last| filter.href(Some(last.offset))),
        events: found.iter().map(|event| EventRow::of(event, now_ms)).collect(),
        filter,
    }))
}

/// What the list shows of all: with a filter, how many match as far as this page knows.
fn summary(filter: &Filter, shown: usize, more: bool, total: i64) -> String {
    let received = format!("{} received", plural(total, "event"));
    if !filter.is_set() {
        return received;
    }
    match (filter.before.is_empty(), more) {
        (true, false) => format!("{} of {received}", matching(shown)),
        (true, true) => format!("more than {} of {received}", matching(shown)),
        (false, _) => format!("older matches, of {received}"),
    }
}

fn matching(count: usize) -> String {
    format!("{} {}", count, if count == 1 { "match" } else { "matches" })
}

struct Header {
    name: String,
    value: String,
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    served_at: String,
    producer_url: String,
    event: EventRow,
    id: String,
    method: String,
    path: String,
    remote: String,
    source: String,
    source_link: String,
    device: Option<i64>,
    size: String,
    headers: Vec<Header>,
    raw: String,
    newer: Option<String>,
    older: Option<String>,
}

/// `GET /events/{id}`; an offset is written as `@7`.
pub async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let event =
        events::named(&app.db, &id).await?.ok_or_else(|| Problem::not_found(format!("event {id} (any more)")))?;
    let (tail, head) = events::span(&app.db).await?;
    let request: BTreeMap<String, Value> = serde_json::from_str(&event.request).unwrap_or_default();
    let fact = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or("unknown").to_owned();
    let neighbour = |offset: i64| (tail..=head).contains(&offset).then(|| format!("/events/@{offset}"));
    Ok(page::render(&EventPage {
        served_at: rfc3339(now_ms),
        producer_url: app.config.producer_url.clone(),
        method: fact("method"),
        path: fact("path"),
        remote: fact("remote"),
        source_link: Filter { source: event.source.to_string(), ..Filter::default() }.href(None),
        source: event.source.to_string(),
        device: event.device,
        size: page::bytes(event.body.len()),
        headers: request.get("headers").map(headers).unwrap_or_default(),
        newer: neighbour(event.offset + 1),
        older: neighbour(event.offset - 1),
        event: EventRow::of(&event, now_ms),
        id: event.id.clone(),
        raw: event.body.clone(),
    }))
}

/// Pairs of name and value.
fn headers(pairs: &Value) -> Vec<Header> {
    let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
    let pairs = pairs.as_array().map(Vec::as_slice).unwrap_or_default();
    pairs.iter().map(|pair| Header { name: text(pair.get(0)), value: text(pair.get(1)) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_page_keeps_the_filter() {
        let filter = Filter { q: "a&b".into(), priority: "Low".into(), ..Filter::default() };
        assert_eq!(filter.href(Some(7)), "/events?q=a%26b&priority=Low&before=7");
        assert_eq!(filter.href(None), "/events?q=a%26b&priority=Low");
        assert!(filter.is_set() && !Filter::default().is_set());
    }

    #[test]
    fn the_head_of_a_filtered_list_tells_of_the_matches() {
        let filter = Filter { q: "a".into(), ..Filter::default() };
        assert_eq!(summary(&Filter::default(), 50, true, 3000), "3,000 events received");
        assert_eq!(summary(&filter, 1, false, 3000), "1 match of 3,000 events received");
        assert_eq!(summary(&filter, 50, true, 3000), "more than 50 matches of 3,000 events received");
    }
}
