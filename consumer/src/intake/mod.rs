//! `POST /consumetasks[/{source}[/{token}]]`: read, verify, decode, append to the log, and only then answer 200 `OK`. A `GET` says that something
//! changed, an `OPTIONS` asks for permission.

mod body;
pub mod changed;
mod decode;
mod door;
pub mod handshake;
mod kept;
mod sources;

use std::{borrow::Cow, time::Duration};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, header},
    response::{IntoResponse, Response},
    routing::post,
};
use common::{problem::Problem, yaml::check_name};

use crate::{App, event::NewEvent, log::Refused};
use door::Place;

pub use body::Receiving;
pub use sources::Sources;

const MAX_ID_CHARS: usize = 256;
const DEFAULT_SOURCE: &str = "default";

/// The routes; they stand behind the least layers, for their speed.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/consumetasks", post(take).get(changed::take))
        .route("/consumetasks/", post(take).get(changed::take))
        .route("/consumetasks/{source}", post(take_from).get(changed::take_from))
        .route("/consumetasks/{source}/", post(take_from).get(changed::take_from))
        .route("/consumetasks/{source}/{token}", post(take_with_token).get(changed::take_with_token))
        .route("/consumetasks/{source}/{token}/", post(take_with_token).get(changed::take_with_token))
}

#[utoipa::path(post, path = "/consumetasks", tag = "intake", operation_id = "consumetasks",
    request_body(content = serde_json::Value, description = "A JSON object, an array (one event each, at most 1000), or NDJSON; the Content-Type does not matter"),
    params(("webhook-id" = Option<String>, Header, description = "Idempotency key: a repeat is answered 200 and not stored again")),
    responses((status = 200, description = "OK: every event of the body is committed", body = String),
        (status = 400, description = "Not JSON, and says where it broke; or not a CloudEvent, and names the attribute"),
        (status = 401, description = "The source is guarded, and the request lacks its credentials or signature"),
        (status = 403, description = "Signed too long ago, a name that is not configured where only configured ones are taken, or a new source and there are as many as may be"), (status = 413, description = "Too large, or too many events"),
        (status = 429, description = "Faster than the source's rate; Retry-After says when to come again"),
        (status = 503, description = "The queue is full or the log cannot be written; Retry-After says when to come again")))]
pub async fn take(State(app): State<App>, request: Request) -> Response {
    answer(&app, DEFAULT_SOURCE, None, request).await
}

async fn take_from(State(app): State<App>, Path(source): Path<String>, request: Request) -> Response {
    answer(&app, &source, None, request).await
}

async fn take_with_token(
    State(app): State<App>,
    Path((source, token)): Path<(String, String)>,
    request: Request,
) -> Response {
    answer(&app, &source, Some(&token), request).await
}

/// Whether a program sends to the bare path: the request that matters for speed. A browser's has an `Origin`, and goes by the router.
pub fn is_plain(request: &Request) -> bool {
    request.method() == Method::POST
        && request.uri().path() == "/consumetasks"
        && !request.headers().contains_key(header::ORIGIN)
}

/// Takes what [`is_plain`] lets through.
pub async fn take_plain(app: App, request: Request) -> Response {
    match app.edge.refusal(&request) {
        Some(problem) => problem.into_response(),
        None => answer(&app, DEFAULT_SOURCE, None, request).await,
    }
}

async fn answer(app: &App, name: &str, token: Option<&str>, request: Request) -> Response {
    let received = receive(app, name, token, request).await;
    told(app, received)
}

fn told(app: &App, received: Result<Said, Problem>) -> Response {
    let response = match received {
        Ok(said) => said.into_response(),
        Err(problem) => problem.into_response(),
    };
    app.metrics.answered(response.status().as_u16());
    response
}

/// What a sender is told with a 200.
type Said = Cow<'static, str>;
const OK: Said = Cow::Borrowed("OK");

async fn receive(app: &App, name: &str, token: Option<&str>, request: Request) -> Result<Said, Problem> {
    check_source(name)?;
    let source = app.registry.get(name);
    let place = Place { name, source: source.as_deref(), token };
    let (parts, body) = request.into_parts();
    let received = body::read(body, &parts.headers, app.config.max_body, &app.receiving).await?;
    door::pass(app, &place, &parts, &received.bytes)?;
    if let Some(challenge) = door::challenge(&place, &received.bytes) {
        return Ok(challenge.into());
    }
    let events = decode::events(&place, &parts, &received.bytes)?;
    // From here on the log counts what is waiting.
    drop(received);
    append(app, &place, events).await.map(|()| OK)
}

async fn append(app: &App, place: &Place<'_>, events: Vec<NewEvent>) -> Result<(), Problem> {
    if events.is_empty() {
        return Ok(());
    }
    // What is configured is counted where it is made.
    if place.source.is_none() {
        app.sources.admit(&app.db, place.name).await?;
    }
    app.log.append(events).await.map_err(come_again)
}

fn check_source(source: &str) -> Result<(), Problem> {
    if check_name(source).is_ok() {
        return Ok(());
    }
    Err(Problem::bad_request(
        "The name of a source has 1 to 64 letters, digits, dots, dashes or underscores, and not dots alone.",
    ))
}

/// The sender's id of this webhook; a repeat of it is answered like the first and stored once.
fn webhook_id(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let Some(id) = headers.get("webhook-id") else { return Ok(None) };
    match id.to_str() {
        Ok(id) if id.bytes().all(|byte| byte.is_ascii_graphic()) && (1..=MAX_ID_CHARS).contains(&id.len()) => {
            Ok(Some(id))
        }
        _ => Err(Problem::bad_request("The header webhook-id has 1 to 256 visible ASCII characters.")),
    }
}

fn come_again(refused: Refused) -> Problem {
    let (detail, wait_s) = match refused {
        Refused::Full => {
            ("More is waiting to be stored than the queue holds. Nothing of this request is stored; send it again.", 1)
        }
        Refused::Failed => {
            ("The log did not say that this request is stored. Send it again; with a webhook-id it is stored once.", 2)
        }
        Refused::Closed => ("The service is stopping. Send it again when it is back.", 2),
    };
    Problem::unavailable(detail, Duration::from_secs(wait_s))
}
