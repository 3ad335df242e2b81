//! The public API: `POST` and `GET /public-api/integration/webhooks`, and what became of an execution.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{ConnectInfo, DefaultBodyLimit, FromRequestParts, Path, RawQuery, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use common::time::now_ms;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    call::{self, Call},
    doors::Purpose,
    execute::{self, Caller, Outcome},
    outcome::CommandState,
    refusal::Refusal,
};
use crate::{
    App,
    store::actions::{
        audit::{self, Entry},
        executions,
        keys::Key,
    },
};

const KEY_HEADER: &str = "x-webhook-apikey";
const MAX_BODY: usize = 64 * 1024;

/// The routes; they stand beside the gate, as each call brings its key.
pub fn routes() -> Router<App> {
    // A HEAD is no call: programs that look at links send it.
    let no_method = async || Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Call this by POST or GET.");
    let only_get = async || Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "Ask this by GET.");
    Router::new()
        .route(
            "/public-api/integration/webhooks",
            post(call_by_post).get(call_by_link).head(no_method).fallback(no_method),
        )
        .route("/public-api/integration/executions/{id}", get(show).fallback(only_get))
        .layer(DefaultBodyLimit::max(MAX_BODY))
}

/// Where a request comes from.
pub struct Peer(pub IpAddr);

impl<S: Send + Sync> FromRequestParts<S> for Peer {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
        Ok(Self(peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED)).to_canonical()))
    }
}

/// The answer to a call.
#[derive(Debug, Serialize, ToSchema)]
struct Called {
    /// `success`
    message: &'static str,
    /// Where to ask what became of it; a dry run has none.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution_id: Option<String>,
    /// Devices that are connected.
    reached: usize,
    /// Devices that get it when they connect in time.
    queued: usize,
    /// Nothing was done: it was only asked whom it would reach.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    dry_run: bool,
}

/// What a caller is told who gets nothing.
#[derive(ToSchema)]
#[expect(dead_code, reason = "it describes what a refusal is written as")]
pub struct Refused {
    /// `Error`
    message: String,
    /// What to change.
    error: String,
}

#[utoipa::path(post, path = "/public-api/integration/webhooks", tag = "actions", operation_id = "call_action",
    params(("x-webhook-apikey" = String, Header, description = "The API key")),
    request_body(content = serde_json::Value, description = "`{\"event_id\": \"…\"}`, for sensor data with `\"sensor_data\": {\"id\", \"event\", \"value\"}`; with `\"dry_run\": true` nothing is done"),
    responses((status = 200, body = Called), (status = 400, body = Refused), (status = 401, body = Refused), (status = 403, body = Refused),
        (status = 404, body = Refused), (status = 413, body = Refused), (status = 429, body = Refused)))]
pub async fn call_by_post(
    State(app): State<App>,
    Peer(peer): Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let key = key_of(&headers, query.as_deref());
    let called = body.map_err(unreadable).and_then(|body| call::from_body(&body).map_err(Refusal::bad_request));
    answer(&app, key, called, peer).await
}

#[utoipa::path(get, path = "/public-api/integration/webhooks", tag = "actions", operation_id = "call_action_by_link",
    params(("api_key" = String, Query, description = "The API key; also apiKey"),
        ("payload" = Option<String>, Query, description = "The body of a POST in Base64, either alphabet, padded or not"),
        ("eventId" = Option<String>, Query, description = "Instead of a payload: the event id")),
    responses((status = 200, body = Called), (status = 400, body = Refused), (status = 401, body = Refused), (status = 403, body = Refused),
        (status = 404, body = Refused), (status = 429, body = Refused)))]
pub async fn call_by_link(
    State(app): State<App>,
    Peer(peer): Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    if is_guess(&headers) {
        return Refusal::new(StatusCode::FORBIDDEN, "A browser that only prepares for the link does not call it.")
            .into_response();
    }
    let called = call::from_query(query.as_deref().unwrap_or_default()).map_err(Refusal::bad_request);
    answer(&app, key_of(&headers, query.as_deref()), called, peer).await
}

/// Whether a browser loads the link before anybody opened it: <https://wicg.github.io/nav-speculation/prefetch.html#sec-purpose-header>.
fn is_guess(headers: &HeaderMap) -> bool {
    ["sec-purpose", "purpose"]
        .iter()
        .filter_map(|name| headers.get(*name)?.to_str().ok())
        .any(|it| it.contains("prefetch"))
}

fn key_of(headers: &HeaderMap, query: Option<&str>) -> Option<String> {
    let header = headers.get(KEY_HEADER).map(|key| String::from_utf8_lossy(key.as_bytes()).trim().to_owned());
    header.or_else(|| call::key_in(query.unwrap_or_default()))
}

fn unreadable(rejection: BytesRejection) -> Refusal {
    let status = rejection.into_response().status();
    let error = format!("The body cannot be read: it has at most {MAX_BODY} bytes.");
    Refusal::new(if status == StatusCode::PAYLOAD_TOO_LARGE { status } else { StatusCode::BAD_REQUEST }, error)
}

/// The key is looked at first: who has none is not told what is wrong with the rest.
async fn answer(app: &App, key: Option<String>, called: Result<Call, Refusal>, peer: IpAddr) -> Response {
    let from = peer.to_string();
    let event_id = called.as_ref().map(|call| call.event_id.clone()).unwrap_or_default();
    let key = app.doors.open(&app.db, key.as_deref(), peer).await;
    let who = key.as_ref().map(|key| key.name.clone()).unwrap_or_default();
    let outcome = match key {
        Ok(key) => run(app, &key, called, &from).await,
        Err(refusal) => Err(refusal),
    };
    match outcome {
        Ok(Outcome { execution_id, reached, queued }) => {
            let dry_run = execution_id.is_none();
            let called = Called { message: "success", execution_id, reached, queued, dry_run };
            ([(header::CACHE_CONTROL, "no-store")], Json(called)).into_response()
        }
        Err(refusal) => {
            note(app, Entry { who, from, subject: event_id, ..Entry::default() }, &refusal).await;
            refusal.into_response()
        }
    }
}

async fn run(app: &App, key: &Key, called: Result<Call, Refusal>, from: &str) -> Result<Outcome, Refusal> {
    app.doors.pace(key, Purpose::Call)?;
    let call = called?;
    if key.event_ids.as_ref().is_some_and(|ids| !ids.contains(&call.event_id)) {
        let error =
            format!("This API key may not call the event id {}. Use a key with it in its scope.", call.event_id);
        return Err(Refusal::new(StatusCode::FORBIDDEN, error));
    }
    if key.max_uses.is_some_and(|max| key.uses >= max) {
        return Err(Refusal::new(StatusCode::FORBIDDEN, "This API key is used up. Use another one."));
    }
    let by = Caller { key: Some(key), name: &key.name, from, id: None };
    execute::execute(app, &by, &call).await
}

/// A refused call in the audit, as far as there is room for such.
async fn note(app: &App, entry: Entry, refusal: &Refusal) {
    if !app.doors.may_audit() {
        return;
    }
    let status = i64::from(refusal.status.as_u16());
    let entry = Entry { at_ms: now_ms(), what: "call".into(), status, detail: refusal.error.clone(), ..entry };
    if let Err(error) = audit::add(&app.db, entry).await {
        app.db.failed(&error, "a refused call is not in the audit");
    }
}

/// What became of an execution.
#[derive(Debug, Serialize, ToSchema)]
struct Shown {
    /// `success`
    message: &'static str,
    execution_id: String,
    event_id: String,
    /// One for each device and action.
    commands: Vec<CommandState>,
}

#[utoipa::path(get, path = "/public-api/integration/executions/{id}", tag = "actions", operation_id = "execution_outcome",
    params(("id" = String, Path, description = "The execution_id of a call"), ("x-webhook-apikey" = String, Header, description = "The API key that called; or api_key in the query")),
    responses((status = 200, body = Shown), (status = 401, body = Refused), (status = 404, body = Refused), (status = 429, body = Refused)))]
pub async fn show(
    State(app): State<App>,
    Peer(peer): Peer,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    Path(id): Path<String>,
) -> Response {
    let key = key_of(&headers, query.as_deref());
    outcome(&app, key, id, peer).await.map_or_else(IntoResponse::into_response, |shown| Json(shown).into_response())
}

async fn outcome(app: &App, key: Option<String>, id: String, peer: IpAddr) -> Result<Shown, Refusal> {
    let key = app.doors.open(&app.db, key.as_deref(), peer).await?;
    app.doors.pace(&key, Purpose::Ask)?;
    let execution = executions::by_id(&app.db, &id).await?.filter(|execution| execution.key_id == key.id);
    let Some(execution) = execution else {
        return Err(Refusal::not_found("This API key has no such execution (any more)."));
    };
    let commands = executions::commands(&app.db, &id).await?.into_iter().map(CommandState::from).collect();
    Ok(Shown { message: "success", execution_id: id, event_id: execution.event_id, commands })
}
