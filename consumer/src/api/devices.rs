//! The read API's devices: how each stands, and how its value went.

use axum::{
    Json,
    extract::{Path, Query, State},
};
use common::{
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::to_json;
use crate::{
    App, devices,
    readings::{self, Window},
    store::devices::{self as store, Search},
};

const MAX_LIMIT: i64 = 10_000;

/// Which devices.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct DevicesQuery {
    /// Only of this source.
    source: Option<String>,
    /// Only devices with this text in their name, kind or circuit.
    q: Option<String>,
    /// 1 to 10000; all of them unless told.
    limit: Option<i64>,
}

/// A device whose readings came.
#[derive(Debug, Serialize, ToSchema)]
pub struct Device {
    /// The offset of its first reading.
    id: i64,
    source: String,
    dev: String,
    circuit: String,
    /// Its alias, else its name.
    name: Option<String>,
    /// What it calls its type, else `dev`.
    #[serde(rename = "type")]
    kind: String,
    /// A number, a text such as `NaN`, a truth value or null.
    #[schema(value_type = serde_json::Value)]
    value: Box<RawValue>,
    unit: Option<String>,
    /// Times are RFC 3339, UTC.
    first_at: String,
    changed_at: String,
    last_at: String,
    /// The event of its current reading; it may not be kept any more.
    offset: i64,
    /// How often the current reading came again.
    repeats: i64,
    /// It was silent for longer than its source allows, or else `STALE_AFTER`.
    stale: bool,
}

impl Device {
    fn of(device: devices::Device, app: &App, now_ms: i64) -> Result<Self, Problem> {
        Ok(Self {
            stale: readings::is_stale(&device, now_ms, app.stale_after(&device.key.source)),
            id: device.id,
            source: device.key.source.to_string(),
            dev: device.key.dev,
            circuit: device.key.circuit,
            name: device.name,
            kind: device.kind,
            value: RawValue::from_string(device.value).map_err(|error| Problem::internal(&error))?,
            unit: device.unit,
            first_at: rfc3339(device.first_ms),
            changed_at: rfc3339(device.changed_ms),
            last_at: rfc3339(device.last_ms),
            offset: device.offset,
            repeats: device.repeats,
        })
    }
}

#[derive(Serialize, ToSchema)]
struct Devices {
    devices: Vec<Device>,
    /// How many match.
    total: i64,
}

#[utoipa::path(get, path = "/api/devices", tag = "devices", params(DevicesQuery),
    responses((status = 200, description = "By source, kind and circuit", body = inline(Devices)), (status = 400)))]
pub async fn list(State(app): State<App>, Query(query): Query<DevicesQuery>) -> Result<Json<Box<RawValue>>, Problem> {
    let limit = query.limit.unwrap_or(MAX_LIMIT);
    if !(1..=MAX_LIMIT).contains(&limit) {
        return Err(Problem::bad_request(format!("limit is 1 to {MAX_LIMIT}.")).with("parameter", "limit"));
    }
    let given = |text: Option<String>| text.filter(|text| !text.is_empty());
    let search = Search { source: given(query.source), text: given(query.q), limit };
    let (found, total) = store::find(&app.db, &search).await?;
    let now_ms = now_ms();
    let devices = found.into_iter().map(|device| Device::of(device, &app, now_ms)).collect::<Result<_, _>>()?;
    to_json(&Devices { devices, total })
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct HistoryQuery {
    /// Seconds back from now: 900, 3600 or 86400; `all`; 3600 unless told.
    window: Option<String>,
}

/// A device with the history of its value.
#[derive(Serialize, ToSchema)]
struct Whole {
    #[serde(flatten)]
    device: Device,
    /// Unix time in milliseconds and value, oldest first, at most 600: of many the lowest and the highest of each stretch of time. null: not a number. The last value
    /// stands until the end, unless the device is stale.
    #[schema(value_type = Vec<Vec<f64>>)]
    points: Vec<(i64, Option<f64>)>,
    /// Where the window begins and ends, in milliseconds.
    from: i64,
    to: i64,
    /// Whether it is all that is kept of the window; of very many readings the newest 50 000 are looked at.
    complete: bool,
}

#[utoipa::path(get, path = "/api/devices/{id}", tag = "devices", params(("id" = i64, Path, description = "Id of the device"), HistoryQuery),
    responses((status = 200, body = inline(Whole)), (status = 400), (status = 404)))]
pub async fn show(
    State(app): State<App>,
    Path(id): Path<i64>,
    Query(query): Query<HistoryQuery>,
) -> Result<Json<Box<RawValue>>, Problem> {
    let Some(window) = Window::named(query.window.as_deref()) else {
        return Err(Problem::bad_request("window is 900, 3600, 86400 (seconds) or all.").with("parameter", "window"));
    };
    let device = store::by_id(&app.db, id).await?.ok_or_else(|| Problem::not_found(format!("device {id}")))?;
    let to = now_ms();
    let holds = !readings::is_stale(&device, to, app.stale_after(&device.key.source));
    let history = readings::history(&app.db, id, (window.from_ms(to), to), holds).await?;
    let points: Vec<_> = history.points.iter().map(|point| (point.at_ms, point.value)).collect();
    let from = window.from_ms(to).max(points.first().map_or(0, |(at_ms, _)| *at_ms));
    to_json(&Whole { device: Device::of(device, &app, to)?, points, from, to, complete: history.is_complete })
}
