//! The read API, which our pages use and scripts may: events, counts, rates, sources.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Query, State},
    response::Response,
};
use common::{
    health,
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    event::{Event, Rank, Summary},
    store::{
        counts::{self, Tally},
        events::{self, Search},
    },
};

const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 1000;
/// The windows of the chart of rates and the step of each, in seconds.
const WINDOWS: [(i64, i64); 4] = [(60, 1), (900, 10), (3600, 30), (86_400, 720)];

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hookcast consumer",
        description = "Receives webhooks, keeps them in an ordered log, shows them live."
    ),
    paths(crate::intake::take)
)]
struct Api;

/// Every route of the read API, and the document that describes them.
pub fn routes_and_document() -> (axum::Router<App>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(totals))
        .routes(routes!(rates))
        .routes(routes!(sources))
        .split_for_parts()
}

/// What is asked of the list; offsets are places in the log.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct ListQuery {
    /// Events after this offset, oldest first.
    since: Option<i64>,
    /// Events before this offset, newest first.
    before: Option<String>,
    /// `desc`: newest first.
    order: Option<String>,
    /// 1 to 1000; 100 unless told.
    limit: Option<i64>,
    /// Only this source.
    source: Option<String>,
    /// Only these priorities, separated by commas: Low, Moderate, Major, Critical, other.
    priority: Option<String>,
    /// Only events whose body has this text.
    q: Option<String>,
}

impl ListQuery {
    /// # Errors
    /// Names the parameter that is wrong.
    pub fn search(self) -> Result<Search, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_LIMIT);
        if !(1..=MAX_LIMIT).contains(&limit) {
            return Err(Problem::bad_request(format!("limit is 1 to {MAX_LIMIT}.")).with("parameter", "limit"));
        }
        let before = self.before.filter(|before| !before.is_empty()).map(|before| before.parse::<i64>()).transpose();
        let before = before
            .map_err(|_| Problem::bad_request("before is an offset, a whole number.").with("parameter", "before"))?;
        let newest_first = before.is_some() || self.order.as_deref() == Some("desc");
        let names = self.priority.unwrap_or_default();
        let ranks =
            names.split(',').map(str::trim).filter(|name| !name.is_empty()).map(rank).collect::<Result<_, _>>()?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (source, text) = (given(self.source), given(self.q));
        Ok(Search {
            since: self.since.unwrap_or(0),
            before: before.unwrap_or(i64::MAX),
            newest_first,
            limit,
            source,
            ranks,
            text,
        })
    }
}

fn rank(name: &str) -> Result<Rank, Problem> {
    Rank::from_name(name).ok_or_else(|| {
        Problem::bad_request("priority is Low, Moderate, Major, Critical or other.").with("parameter", "priority")
    })
}

/// An event in a list.
#[derive(Debug, Serialize, ToSchema)]
struct Listed<'a> {
    #[serde(flatten)]
    summary: Summary<'a>,
    /// The JSON as it was received.
    #[schema(value_type = serde_json::Value)]
    body: &'a RawValue,
}

impl<'a> Listed<'a> {
    fn new(event: &'a Event) -> Result<Self, Problem> {
        let body = serde_json::from_str(&event.body).map_err(|error| Problem::internal(&error))?;
        Ok(Self { summary: event.summary(), body })
    }
}

#[derive(Serialize, ToSchema)]
struct List<'a> {
    events: Vec<Listed<'a>>,
    /// Offset of the newest event.
    head: i64,
    /// Offset of the oldest event that is kept.
    tail: i64,
}

#[utoipa::path(get, path = "/api/events", tag = "log", params(ListQuery), responses((status = 200, body = inline(List)), (status = 400)))]
async fn list(State(app): State<App>, Query(query): Query<ListQuery>) -> Result<Json<Box<RawValue>>, Problem> {
    let found = events::find(&app.db, &query.search()?).await?;
    let (tail, head) = events::span(&app.db).await?;
    let events = found.iter().map(Listed::new).collect::<Result<_, _>>()?;
    to_json(&List { events, head, tail })
}

fn to_json(value: &impl Serialize) -> Result<Json<Box<RawValue>>, Problem> {
    serde_json::value::to_raw_value(value).map(Json).map_err(|error| Problem::internal(&error))
}

/// One event with its request.
#[derive(Serialize, ToSchema)]
struct Whole<'a> {
    #[serde(flatten)]
    listed: Listed<'a>,
    /// The text of the event as it was received.
    raw: &'a str,
    /// `method`, `path`, `remote` (address) and `headers` (pairs of name and value).
    #[serde(flatten)]
    #[schema(value_type = Object)]
    request: BTreeMap<&'a str, &'a RawValue>,
}

#[utoipa::path(get, path = "/api/events/{id}", tag = "log", params(("id" = String, Path, description = "Id of the event, or its offset as @7")),
    responses((status = 200, body = inline(Whole)), (status = 404)))]
async fn show(State(app): State<App>, Path(id): Path<String>) -> Result<Json<Box<RawValue>>, Problem> {
    let event = find(&app, &id).await?;
    let request = serde_json::from_str(&event.request).map_err(|error| Problem::internal(&error))?;
    to_json(&Whole { listed: Listed::new(&event)?, raw: &event.body, request })
}

/// The event of an id, or of an offset written as `@7`.
///
/// # Errors
/// 404 when there is none, or none any more.
pub async fn find(app: &App, id: &str) -> Result<Event, Problem> {
    let found = match id.strip_prefix('@').and_then(|offset| offset.parse().ok()) {
        Some(offset) => events::at(&app.db, offset).await?,
        None => events::by_id(&app.db, id).await?,
    };
    found.ok_or_else(|| Problem::not_found(format!("event {id} (any more)")))
}

/// How many events of each priority were ever received.
#[derive(Clone, Copy, Debug, Serialize, ToSchema)]
pub struct Counts {
    #[serde(rename = "Low")]
    pub low: i64,
    #[serde(rename = "Moderate")]
    pub moderate: i64,
    #[serde(rename = "Major")]
    pub major: i64,
    #[serde(rename = "Critical")]
    pub critical: i64,
    /// Unknown priority or none.
    pub other: i64,
    pub total: i64,
    /// Offset of the newest event of the log.
    pub head: i64,
}

impl Counts {
    #[must_use]
    pub fn new(tally: Tally, head: i64) -> Self {
        let [low, moderate, major, critical, other] = tally;
        Self { low, moderate, major, critical, other, total: tally.iter().sum(), head }
    }
}

/// One source or all.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct SourceQuery {
    /// Only this source.
    source: Option<String>,
}

#[utoipa::path(get, path = "/api/counts", tag = "log", params(SourceQuery), responses((status = 200, body = Counts)))]
async fn totals(State(app): State<App>, Query(query): Query<SourceQuery>) -> Result<Json<Counts>, Problem> {
    Ok(Json(count(&app, query.source.as_deref()).await?))
}

/// The counts of one source or of all, as they are committed.
///
/// # Errors
/// When the database fails.
pub async fn count(app: &App, source: Option<&str>) -> Result<Counts, Problem> {
    let (mut asked, mut head) = (Tally::default(), 0);
    for row in counts::all(&app.db).await? {
        head += row.tally.iter().sum::<i64>();
        if source.is_none_or(|source| source.is_empty() || source == row.source) {
            asked.iter_mut().zip(row.tally).for_each(|(sum, more)| *sum += more);
        }
    }
    Ok(Counts::new(asked, head))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
struct RatesQuery {
    /// Seconds back from now: 60, 900, 3600 or 86400; 900 unless told.
    window: Option<i64>,
    /// Only this source.
    source: Option<String>,
}

/// What arrived in each step of a window.
#[derive(Debug, Serialize, ToSchema)]
struct Rates {
    window: i64,
    /// Seconds of one step.
    step: i64,
    /// Unix time of the first step.
    from: i64,
    /// Unix time, then Low, Moderate, Major, Critical, other.
    #[schema(value_type = Vec<Vec<i64>>)]
    points: Vec<[i64; 6]>,
}

#[utoipa::path(get, path = "/api/rates", tag = "log", params(RatesQuery), responses((status = 200, body = Rates), (status = 400)))]
async fn rates(State(app): State<App>, Query(query): Query<RatesQuery>) -> Result<Json<Rates>, Problem> {
    let window = query.window.unwrap_or(900);
    let Some((_, step)) = WINDOWS.into_iter().find(|(known, _)| *known == window) else {
        return Err(Problem::bad_request("window is 60, 900, 3600 or 86400 (seconds).").with("parameter", "window"));
    };
    let last = now_ms() / 1000 / step * step;
    let from = last - window + step;
    let found: BTreeMap<i64, Tally> =
        counts::rates(&app.db, from, step, query.source.as_deref()).await?.into_iter().collect();
    let points = (0..window / step).map(|place| {
        let at = from + place * step;
        let [low, moderate, major, critical, other] = found.get(&at).copied().unwrap_or_default();
        [at, low, moderate, major, critical, other]
    });
    Ok(Json(Rates { window, step, from, points: points.collect() }))
}

/// A source that something came from.
#[derive(Debug, Serialize, ToSchema)]
struct Source {
    source: String,
    total: i64,
    /// RFC 3339, UTC, to the second.
    last_at: String,
}

#[derive(Debug, Serialize, ToSchema)]
struct Sources {
    sources: Vec<Source>,
}

#[utoipa::path(get, path = "/api/sources", tag = "log", responses((status = 200, body = Sources)))]
async fn sources(State(app): State<App>) -> Result<Json<Sources>, Problem> {
    let rows = counts::all(&app.db).await?;
    let sources = rows.into_iter().map(|row| Source {
        total: row.tally.iter().sum(),
        last_at: rfc3339(row.last_ms),
        source: row.source,
    });
    Ok(Json(Sources { sources: sources.collect() }))
}

/// `GET /readyz`.
pub async fn ready(State(app): State<App>) -> Response {
    health::readiness(&app.db, app.bus.is_up()).await
}

/// `GET /metrics`.
pub async fn metrics(State(app): State<App>) -> Response {
    health::metrics(&app.metrics.registry)
}
