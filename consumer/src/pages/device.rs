//! `GET /devices/{id}`: one device, how its value went, and its last readings.

use askama::Template;
use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use common::{
    page::{self, Stamp, grouped},
    problem::Problem,
    time::{now_ms, rfc3339},
};
use form_urlencoded::Serializer;
use serde::Deserialize;

use super::{
    devices::Standing,
    line::Chart,
    row::{EventRow, Look, look},
};
use crate::{
    App,
    devices::Device,
    event::Event,
    readings::{self, Window},
    store::devices,
};

/// Readings that the table shows.
const READINGS: i64 = 25;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Asked {
    window: Option<String>,
}

struct Choice {
    name: &'static str,
    label: &'static str,
    is_chosen: bool,
}

/// A reading that is kept.
struct Kept {
    at: Stamp,
    value: String,
    unit: String,
    again: Option<(String, Stamp)>,
    snapshot: bool,
    rank: Look,
    href: String,
    number: String,
}

#[derive(Template)]
#[template(path = "reading.html")]
struct DevicePage {
    served_at: String,
    producer_url: String,
    standing: Standing,
    is_digital: bool,
    dev: String,
    circuit: String,
    source: String,
    siblings: String,
    unit: String,
    first: Stamp,
    changed: Stamp,
    windows: Vec<Choice>,
    window: Window,
    chart: Option<Chart>,
    is_complete: bool,
    kept: Vec<Kept>,
}

/// `GET /devices/{id}`.
pub async fn show(
    State(app): State<App>,
    Path(id): Path<i64>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let Some(window) = Window::named(asked.window.as_deref()) else {
        return Err(Problem::bad_request("window is 900, 3600, 86400 (seconds) or all.").with("parameter", "window"));
    };
    let device = devices::by_id(&app.db, id).await?.ok_or_else(|| Problem::not_found(format!("device {id}")))?;
    let now_ms = now_ms();
    let standing = Standing::of(&device, now_ms, app.stale_after(&device.key.source));
    let history = readings::history(&app.db, id, (window.from_ms(now_ms), now_ms), !standing.is_stale).await?;
    let from_ms = window.from_ms(now_ms).max(history.points.first().map_or(0, |point| point.at_ms));
    let is_digital = readings::is_digital(&device);
    let kept = devices::events_of(&app.db, id, READINGS).await?;
    let source = device.key.source.to_string();
    Ok(page::render(&DevicePage {
        served_at: rfc3339(now_ms),
        producer_url: app.config.producer_url.clone(),
        standing,
        is_digital,
        siblings: format!("/devices?{}", Serializer::new(String::new()).append_pair("source", &source).finish()),
        source,
        first: Stamp::of(device.first_ms, now_ms),
        changed: Stamp::of(device.changed_ms, now_ms),
        windows: Window::ALL.iter().map(|one| choice(*one, window)).collect(),
        window,
        chart: Chart::of(&history.points, (from_ms, now_ms), is_digital),
        is_complete: history.is_complete,
        kept: kept.iter().map(|event| Kept::of(event, &device, now_ms)).collect(),
        unit: device.unit.unwrap_or_default(),
        dev: device.key.dev,
        circuit: device.key.circuit,
    }))
}

fn choice(one: Window, chosen: Window) -> Choice {
    Choice { name: one.name, label: one.label, is_chosen: one == chosen }
}

impl Kept {
    fn of(event: &Event, device: &Device, now_ms: i64) -> Self {
        let row = EventRow::of(event, now_ms);
        let said = crate::devices::Reading::of(&event.body);
        let json = said.as_ref().map_or("null", |reading| reading.value.as_str());
        let is_number = crate::devices::history::number_of(json).is_some();
        Self {
            value: readings::value(json, readings::is_digital(device)),
            unit: said.as_ref().and_then(|reading| reading.unit.clone()).filter(|_| is_number).unwrap_or_default(),
            at: row.at,
            again: row.again,
            snapshot: row.snapshot,
            rank: look(event.rank),
            href: row.href,
            number: grouped(event.offset),
        }
    }
}
