//! The list: who asks to be paired, and every device that obeys.

use std::collections::{BTreeSet, HashMap};

use askama::Template;
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
};
use common::{
    page::{self, Stamp, plural},
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::Deserialize;
use uuid::Uuid;

use super::{Said, address, row::DeviceRow};
use crate::{
    App,
    actions::screens::showing::Showing,
    store::actions::{
        devices::{self, Device, Kind},
        pairings::{self, Pairing},
        screens,
    },
};

/// More are found by the filter.
const SHOWN: usize = 200;

#[derive(Template)]
#[template(path = "screens.html")]
struct ScreensPage {
    served_at: String,
    producer_url: String,
    said: Option<&'static str>,
    outcome: Option<String>,
    summary: String,
    address: String,
    waiting: Vec<WaitingRow>,
    rows: Vec<DeviceRow>,
    /// Whether there is any device, filtered out or not.
    has_devices: bool,
    more: Option<String>,
    filter: Filter,
    groups: BTreeSet<String>,
    tags: BTreeSet<String>,
    /// Where a form leads back to.
    back: String,
    /// What a command by hand is called, so that sending its form twice does it once.
    once: String,
}

/// A screen that asks.
struct WaitingRow {
    code: String,
    name: String,
    from: String,
    since: Stamp,
    /// There is a screen of its name, which it would take the place of.
    replaces: bool,
}

#[derive(Clone, Default, Deserialize)]
#[serde(default)]
pub struct Filter {
    q: String,
    group: String,
    tag: String,
}

impl Filter {
    /// The filter that stands in a query.
    pub fn written(query: &str) -> Self {
        let of = |name: &str| form_urlencoded::parse(query.as_bytes()).find(|(key, _)| key == name);
        let of = |name: &str| of(name).map(|(_, value)| value.into_owned()).unwrap_or_default();
        Self { q: of("q"), group: of("group"), tag: of("tag") }
    }

    /// Name and value of each of its members that says something.
    pub fn pairs(self) -> Vec<(&'static str, String)> {
        let mut pairs = vec![("q", self.q), ("group", self.group), ("tag", self.tag)];
        pairs.retain(|(_, value)| !value.is_empty());
        pairs
    }

    /// What a form says of where it leads back to.
    fn back(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.clone().pairs());
        format!("list?{}", query.finish())
    }

    fn takes(&self, device: &Device) -> bool {
        let text = self.q.trim().to_lowercase();
        let has = |names: &[String], asked: &String| asked.is_empty() || names.contains(asked);
        device.name.to_lowercase().contains(&text) && has(&device.groups, &self.group) && has(&device.tags, &self.tag)
    }
}

/// `GET /screens[?q=…&group=…&tag=…]`.
pub async fn show(
    State(app): State<App>,
    Query(filter): Query<Filter>,
    Query(said): Query<Said>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let devices = devices::all(&app.db).await?;
    let waiting = pairings::waiting(&app.db, now_ms).await?;
    let showing = screens::showing(&app.db).await?;
    let online = devices.iter().filter(|device| device.online_until_ms > now_ms).count();
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    let summary = format!("{}, {online} online", plural(count(devices.len()), "device"));
    let names = |of: fn(&Device) -> &Vec<String>| devices.iter().flat_map(of).cloned().collect();
    let (groups, tags) = (names(|device| &device.groups), names(|device| &device.tags));
    let waiting = waiting.into_iter().map(|it| waiting_row(it, &devices, now_ms)).collect();
    let has_devices = !devices.is_empty();
    let found: Vec<Device> = devices.into_iter().filter(|device| filter.takes(device)).collect();
    let more = (found.len() > SHOWN).then(|| format!("{} more; filter to see them.", count(found.len() - SHOWN)));
    Ok(page::render(&ScreensPage {
        served_at: rfc3339(now_ms),
        producer_url: app.config.producer_url.clone(),
        said: said.words(),
        outcome: said.link(),
        summary: if has_devices { summary } else { String::new() },
        address: address(&headers),
        waiting,
        rows: rows(found, &showing, now_ms),
        has_devices,
        more,
        back: filter.back(),
        filter,
        groups,
        tags,
        once: Uuid::now_v7().to_string(),
    }))
}

fn rows(found: Vec<Device>, showing: &HashMap<String, String>, now_ms: i64) -> Vec<DeviceRow> {
    let row = |device: Device| {
        let showing = showing.get(&device.id).and_then(|json| Showing::stored(json));
        DeviceRow::of(device, showing, now_ms)
    };
    found.into_iter().take(SHOWN).map(row).collect()
}

fn waiting_row(it: Pairing, devices: &[Device], now_ms: i64) -> WaitingRow {
    WaitingRow {
        replaces: devices.iter().any(|device| device.kind == Kind::Screen && device.name == it.name),
        since: Stamp::of(it.asked_ms, now_ms),
        code: it.code,
        name: it.name,
        from: it.from,
    }
}
