//! `GET /devices`: the sources of devices that are read here, and how each is doing.

use std::{convert::Infallible, time::Duration};

use askama::Template;
use axum::{
    extract::State,
    response::{Response, sse::Event},
};
use common::{
    page::{self, Stamp},
    time::{now_ms, rfc3339},
};
use futures_util::stream;
use jiff::Timestamp;
use tokio::time::sleep;

use super::standing::Pill;
use crate::{
    App,
    sources::devices::status::{Failing, Status},
};

/// Between two looks at what changed.
const LOOK: Duration = Duration::from_secs(1);

struct Row {
    name: String,
    kind: &'static str,
    pill: Pill,
    webhook: String,
    since: Option<Stamp>,
    readings: String,
    changes: String,
    last_reading: Option<Stamp>,
    last_change: Option<Stamp>,
    readings_per_s: String,
    changes_per_s: String,
    stale: String,
    failing: Vec<Failing>,
    /// What was wrong last, and when.
    trouble: Option<(String, Stamp)>,
}

impl Row {
    fn of(status: Status, now_ms: i64) -> Self {
        let stamp = |at: &Option<String>| at.as_deref().and_then(|at| stamp(at, now_ms));
        Self {
            pill: pill(&status),
            webhook: format!("/account/webhooks/{}", status.registration),
            since: stamp(&status.connected_since),
            readings: page::plural(i64::try_from(status.readings).unwrap_or(i64::MAX), "reading"),
            changes: page::plural(i64::try_from(status.changes).unwrap_or(i64::MAX), "change"),
            last_reading: stamp(&status.last_reading_at),
            last_change: stamp(&status.last_change_at),
            readings_per_s: page::rate(status.readings_per_s),
            changes_per_s: page::rate(status.changes_per_s),
            stale: status.stale.join(", "),
            failing: status.failing,
            trouble: status.last_error.clone().zip(stamp(&status.last_error_at)),
            name: status.source,
            kind: status.kind,
        }
    }
}

fn stamp(at: &str, now_ms: i64) -> Option<Stamp> {
    at.parse::<Timestamp>().ok().map(|at| Stamp::of(at.as_millisecond(), now_ms))
}

/// How a source is doing, in a word.
fn pill(status: &Status) -> Pill {
    let (class, symbol, word) = match status.state {
        "connected" if !(status.stale.is_empty() && status.failing.is_empty()) => ("major", "△", "Partly silent"),
        "connected" => ("low", "✓", "Connected"),
        "standby" => ("other", "⏸", "Read by another producer"),
        _ if status.last_error.is_some() => ("critical", "↻", "Reconnecting"),
        _ => ("moderate", "◌", "Connecting"),
    };
    Pill { class, symbol, word: word.into() }
}

#[derive(Template)]
#[template(path = "devices.html")]
struct DevicesPage {
    served_at: String,
    consumer_url: String,
    rows: Vec<Row>,
}

/// `GET /devices`.
pub async fn list(State(app): State<App>) -> Response {
    let now_ms = now_ms();
    page::render(&DevicesPage {
        served_at: rfc3339(now_ms),
        consumer_url: super::consumer_url(&app),
        rows: app.devices.all().into_iter().map(|status| Row::of(status, now_ms)).collect(),
    })
}

/// `GET /devices/events`: `ready` at the start, then `moved` when a source is doing otherwise than before; their data says nothing.
pub async fn follow(State(app): State<App>) -> Response {
    page::stream(stream::unfold((app, None), next))
}

type Told = (App, Option<String>);

async fn next((app, told): Told) -> Option<(Result<Event, Infallible>, Told)> {
    loop {
        let now = serde_json::to_string(&app.devices.all()).unwrap_or_default();
        if told.as_ref() != Some(&now) {
            // A browser passes over an event without data.
            let event = Event::default().event(if told.is_some() { "moved" } else { "ready" }).data("{}");
            return Some((Ok(event), (app, Some(now))));
        }
        app.stop.run_until_cancelled(sleep(LOOK)).await?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_is_shown_as_it_is() {
        let mut status = Status::new("boiler", "evok", "r1");
        let row = |status: &Status| Row::of(status.clone(), now_ms());
        assert_eq!(row(&status).pill.word, "Connecting");
        status.failed("no route");
        assert_eq!(
            (row(&status).pill.word.as_str(), row(&status).trouble.unwrap().0.as_str()),
            ("Reconnecting", "no route")
        );
        status.connected();
        status.read(1200);
        assert_eq!((row(&status).pill.word.as_str(), row(&status).readings.as_str()), ("Connected", "1,200 readings"));
        status.stale = vec!["1".into(), "2".into()];
        assert_eq!((row(&status).pill.word.as_str(), row(&status).stale.as_str()), ("Partly silent", "1, 2"));
        status.fail(vec![Failing { device: "ai x".into(), error: "device busy (6)".into() }]);
        assert_eq!((row(&status).pill.word.as_str(), row(&status).failing.len()), ("Partly silent", 1));
    }
}
