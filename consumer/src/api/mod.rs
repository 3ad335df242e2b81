//! The API, which our pages use and scripts may: events here, counts and rates in `counts`, sources in `sources`, devices in `devices`, trying rules
//! in `rules`.

mod counts;
mod devices;
mod rules;
mod sources;

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Query, State},
    response::Response,
};
use common::{health, problem::Problem};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, OpenApi, ToSchema};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    event::{Event, Rank, Summary},
    store::events::{self, Search},
};

const DEFAULT_LIMIT: i64 = 100;
const MAX_LIMIT: i64 = 1000;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Hookcast consumer",
        description = "Receives webhooks, keeps them in an ordered log, shows them live."
    ),
    paths(crate::intake::take, crate::intake::changed::take)
)]
struct Api;

/// Every route of the read API, and the document that describes them.
pub fn routes_and_document() -> (axum::Router<App>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(list))
        .routes(routes!(show))
        .routes(routes!(counts::totals))
        .routes(routes!(counts::rates))
        .routes(routes!(sources::list))
        .routes(routes!(sources::rejected))
        .routes(routes!(sources::unknown))
        .routes(routes!(rules::test))
        .routes(routes!(devices::list))
        .routes(routes!(devices::show))
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
#[schema(as = ListedEvent)]
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
    let event =
        events::named(&app.db, &id).await?.ok_or_else(|| Problem::not_found(format!("event {id} (any more)")))?;
    let request = serde_json::from_str(&event.request).map_err(|error| Problem::internal(&error))?;
    to_json(&Whole { listed: Listed::new(&event)?, raw: &event.body, request })
}

/// `GET /readyz`.
pub async fn ready(State(app): State<App>) -> Response {
    health::readiness(&app.db, app.bus.is_up()).await
}

/// `GET /metrics`.
pub async fn metrics(State(app): State<App>) -> Response {
    health::metrics(&app.metrics.registry)
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_query_is_a_search_or_names_its_parameter(query in r"((since|before|order|limit|source|priority|q)=|&|,|-?[0-9]{0,20}|Low|Major|desc|%[0-9a-f]{2}|[ -~]{0,4}){0,10}") {
            let Ok(uri) = format!("/api/events?{}", query.replace([' ', '#', '"', '<', '>', '`'], "+")).parse() else { return Ok(()) };
            let Ok(Query(asked)) = Query::<ListQuery>::try_from_uri(&uri) else { return Ok(()) };
            match asked.search() {
                Ok(search) => prop_assert!((1..=MAX_LIMIT).contains(&search.limit) && search.source.as_deref() != Some("")),
                Err(problem) => prop_assert!(problem.status == 400 && problem.member("parameter").is_some()),
            }
        }
    }
}
