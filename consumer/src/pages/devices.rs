//! `GET /devices`: every device whose readings came, how it stands, and the stream that says when that moved.

use std::{collections::HashMap, convert::Infallible, time::Duration};

use askama::Template;
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::{Response, sse::Event},
};
use common::{
    page::{self, Stamp, grouped, plural},
    problem::Problem,
    time::{now_ms, rfc3339},
};
use form_urlencoded::Serializer;
use futures_util::stream;
use serde::Deserialize;
use tokio::time::sleep;

use super::line::Spark;
use crate::{
    App,
    devices::{Device, history::Past},
    readings,
    store::devices::{self, Search},
};

/// Devices of one page; the filter finds the others.
const SHOWN: i64 = 200;
/// Readings that a small line shows.
const RECENT: i64 = 24;
/// Between two looks whether a reading came.
const LOOK: Duration = Duration::from_secs(1);

/// What the filter form sends.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    q: String,
    source: String,
}

impl Filter {
    fn is_set(&self) -> bool {
        !(self.q.is_empty() && self.source.is_empty())
    }
}

/// How a device stands, in words.
pub struct Standing {
    pub id: i64,
    pub name: String,
    /// `dev circuit`, where it has a name beside that.
    pub place: Option<String>,
    pub kind: String,
    pub value: String,
    /// Empty beside what is no number.
    pub unit: String,
    pub is_number: bool,
    pub at: Stamp,
    pub repeats: String,
    pub is_stale: bool,
}

impl Standing {
    pub fn of(device: &Device, now_ms: i64, stale_after: Duration) -> Self {
        let is_digital = readings::is_digital(device);
        let is_number = crate::devices::history::number_of(&device.value).is_some();
        Self {
            id: device.id,
            name: readings::name(device),
            place: device.name.is_some().then(|| format!("{} {}", device.key.dev, device.key.circuit)),
            kind: readings::kind(device),
            value: readings::value(&device.value, is_digital),
            unit: device.unit.clone().filter(|_| is_number).unwrap_or_default(),
            is_number,
            at: Stamp::of(device.last_ms, now_ms),
            repeats: if device.repeats > 0 { grouped(device.repeats) } else { String::new() },
            is_stale: readings::is_stale(device, now_ms, stale_after),
        }
    }
}

struct Row {
    standing: Standing,
    spark: Option<Spark>,
}

/// The devices of one source.
struct Group {
    source: String,
    events: String,
    count: String,
    rows: Vec<Row>,
}

#[derive(Template)]
#[template(path = "readings.html")]
struct DevicesPage {
    served_at: String,
    producer_url: String,
    address: String,
    summary: String,
    /// What is to be said of devices that are not shown.
    more: Option<String>,
    filter: Filter,
    groups: Vec<Group>,
}

/// `GET /devices`.
pub async fn list(
    State(app): State<App>,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let search = Search { source: given(&filter.source), text: given(filter.q.trim()), limit: SHOWN };
    let (found, total) = devices::find(&app.db, &search).await?;
    let ids: Vec<i64> = found.iter().map(|device| device.id).collect();
    let mut recent = HashMap::<i64, Vec<Past>>::new();
    for past in devices::newest(&app.db, &ids, RECENT).await? {
        recent.entry(past.device).or_default().push(past);
    }
    let rows = found.iter().map(|device| {
        let recent = recent.remove(&device.id).unwrap_or_default();
        let standing = Standing::of(device, now_ms, app.stale_after(&device.key.source));
        (&*device.key.source, Row { standing, spark: Spark::of(&recent, readings::is_digital(device)) })
    });
    let word = if filter.is_set() { "match" } else { "device" };
    let shown = i64::try_from(found.len()).unwrap_or(i64::MAX);
    Ok(page::render(&DevicesPage {
        served_at: rfc3339(now_ms),
        producer_url: app.config.producer_url.clone(),
        address: super::intake(&headers),
        summary: if word == "match" && total != 1 {
            format!("{} matches", grouped(total))
        } else {
            plural(total, word)
        },
        more: (total > shown).then(|| format!("The first {} of {} are shown.", grouped(shown), grouped(total))),
        filter,
        groups: grouped_by_source(rows),
    }))
}

/// Rows come ordered by their source.
fn grouped_by_source<'a>(rows: impl Iterator<Item = (&'a str, Row)>) -> Vec<Group> {
    let mut groups = Vec::<Group>::new();
    for (source, row) in rows {
        match groups.last_mut().filter(|group| group.source == source) {
            Some(group) => group.rows.push(row),
            None => groups.push(Group {
                source: source.to_owned(),
                events: format!("/events?{}", Serializer::new(String::new()).append_pair("source", source).finish()),
                count: String::new(),
                rows: vec![row],
            }),
        }
    }
    for group in &mut groups {
        group.count = plural(i64::try_from(group.rows.len()).unwrap_or(i64::MAX), "device");
    }
    groups
}

/// `GET /devices/events`: `ready` at the start, then `moved` when a reading came, changed or not, on any node; at most one a second. Their data
/// says nothing.
pub async fn follow(State(app): State<App>) -> Response {
    page::stream(stream::unfold((app, None), next))
}

type Told = (App, Option<i64>);

async fn next((app, told): Told) -> Option<(Result<Event, Infallible>, Told)> {
    loop {
        match devices::version(&app.db).await {
            Ok(now) if told != Some(now) => {
                // A browser passes over an event without data.
                let event = Event::default().event(if told.is_some() { "moved" } else { "ready" }).data("{}");
                app.stop.run_until_cancelled(sleep(if told.is_some() { LOOK } else { Duration::ZERO })).await?;
                return Some((Ok(event), (app, Some(now))));
            }
            Ok(_) => {}
            Err(error) => app.db.failed(&error, "cannot see whether a reading came"),
        }
        app.stop.run_until_cancelled(sleep(LOOK)).await?;
    }
}
