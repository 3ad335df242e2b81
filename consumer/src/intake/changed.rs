//! `GET /consumetasks[/{source}]`: what can do no more than call an address says that something changed (Evok with `complex_events: false`, Shelly).

use axum::{
    extract::{Path, Query, Request, State},
    http::{Method, StatusCode, request::Parts},
    response::{IntoResponse, Response},
};
use common::{problem::Problem, time::now_ms};
use serde_json::{Map, Value, json};

use super::{DEFAULT_SOURCE, OK, append, check_source, decode::read_by, door, door::Place, kept, told, webhook_id};
use crate::{App, event::NewEvent, guards::Guard, secrets};

#[utoipa::path(get, path = "/consumetasks", tag = "intake", operation_id = "changed",
    responses((status = 200, description = "OK: the event `{\"event\": \"changed\"}` is committed, with the parameters of the query, if any, in `query`", body = String),
        (status = 401, description = "The source is guarded, and the token or the password is missing or wrong"),
        (status = 403, description = "The source asks for signatures, which a GET has not; a page of another origin asked; or the source is new and there are as many as may be")))]
pub async fn take(State(app): State<App>, request: Request) -> Response {
    answer(&app, DEFAULT_SOURCE, None, request).await
}

pub async fn take_from(State(app): State<App>, Path(source): Path<String>, request: Request) -> Response {
    answer(&app, &source, None, request).await
}

pub async fn take_with_token(
    State(app): State<App>,
    Path((source, token)): Path<(String, String)>,
    request: Request,
) -> Response {
    answer(&app, &source, Some(&token), request).await
}

async fn answer(app: &App, name: &str, token: Option<&str>, request: Request) -> Response {
    let (parts, _) = request.into_parts();
    // Whoever looks whether the address is there tells nothing.
    if parts.method == Method::HEAD {
        return StatusCode::OK.into_response();
    }
    let source = app.registry.get(name);
    let place = Place { name, source: source.as_deref(), token };
    let received = receive(app, &place, &parts).await;
    told(app, received.map(|()| OK))
}

async fn receive(app: &App, place: &Place<'_>, parts: &Parts) -> Result<(), Problem> {
    check_source(place.name)?;
    // A picture on anybody's page is a GET, too.
    if !app.edge.origin_is_good(&parts.headers) {
        return Err(Problem::new(
            StatusCode::FORBIDDEN,
            "A page of another origin may not act here. Name its origin in ALLOWED_ORIGINS if it should.",
        ));
    }
    door::pass(app, place, parts, &[])?;
    let guard = place.source.map(|source| &source.guard);
    let body = event(parts, guard)?.to_string();
    let (rank, shown, fires) = read_by(place, parts, &body);
    let event = NewEvent {
        webhook_id: webhook_id(&parts.headers)?.map(str::to_owned),
        source: place.name.into(),
        rank,
        received_ms: now_ms(),
        request: kept::describe(parts, 1, guard),
        body,
        shown,
        reading: None,
        fires,
    };
    append(app, place, vec![event]).await
}

/// The parameters stand in it as they came, but for those that carry secrets.
fn event(parts: &Parts, guard: Option<&Guard>) -> Result<Value, Problem> {
    let pairs = Query::<Vec<(String, String)>>::try_from_uri(&parts.uri);
    let Query(pairs) = pairs.map_err(|error| Problem::bad_request(format!("The query cannot be read: {error}.")))?;
    let query: Map<String, Value> = pairs
        .into_iter()
        .filter(|(name, _)| !secrets::is_secret(name) && !guard.is_some_and(|guard| guard.hides_parameter(name)))
        .map(|(name, value)| (name, value.into()))
        .collect();
    Ok(if query.is_empty() { json!({ "event": "changed" }) } else { json!({ "event": "changed", "query": query }) })
}
