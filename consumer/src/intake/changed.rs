//! `GET /consumetasks[/{source}]`: what can do no more than call an address says that something changed (Evok with `complex_events: false`, Shelly).

use axum::{
    extract::{Path, Query, Request, State},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use common::{problem::Problem, time::now_ms};
use serde_json::{Map, Value, json};

use super::{DEFAULT_SOURCE, append, check_source, kept, told, webhook_id};
use crate::{
    App,
    event::{NewEvent, Rank, Shown},
};

#[utoipa::path(get, path = "/consumetasks", tag = "intake", operation_id = "changed",
    responses((status = 200, description = "OK: the event `{\"event\": \"changed\"}` is committed, with the parameters of the query, if any, in `query`", body = String),
        (status = 403, description = "A page of another origin asked, or the source is new and there are as many as may be")))]
pub async fn take(State(app): State<App>, request: Request) -> Response {
    answer(&app, DEFAULT_SOURCE, request).await
}

pub async fn take_from(State(app): State<App>, Path(source): Path<String>, request: Request) -> Response {
    answer(&app, &source, request).await
}

async fn answer(app: &App, source: &str, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    // Whoever looks whether the address is there tells nothing.
    if parts.method == Method::HEAD {
        return StatusCode::OK.into_response();
    }
    let received = receive(app, source, &parts).await;
    told(app, received)
}

async fn receive(app: &App, source: &str, parts: &Parts) -> Result<(), Problem> {
    check_source(source)?;
    // A picture on anybody's page is a GET, too.
    if !app.edge.origin_is_good(&parts.headers) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "A page of another origin may not act here. Name its origin in ALLOWED_ORIGINS if it should.",
        ));
    }
    let body = event(parts)?.to_string();
    let event = NewEvent {
        webhook_id: webhook_id(&parts.headers)?.map(str::to_owned),
        source: source.into(),
        rank: Rank::of(&body),
        received_ms: now_ms(),
        request: kept::describe(parts, 1),
        body,
        shown: Shown::default(),
    };
    append(app, source, vec![event]).await
}

/// The parameters stand in it as they came, but for those that carry secrets.
fn event(parts: &Parts) -> Result<Value, Problem> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let Query(pairs) = pairs.map_err(|error| Problem::bad_request(format!("The query cannot be read: {error}.")))?;
    let query: Map<String, Value> = pairs
        .into_iter()
        .filter(|(name, _)| !kept::is_secret(name))
        .map(|(name, value)| (name, value.into()))
        .collect();
    Ok(if query.is_empty() { json!({ "event": "changed" }) } else { json!({ "event": "changed", "query": query }) })
}
