//! `POST /consumetasks[/{source}]`: read, decode, append to the log, and only then answer 200 `OK`. A `GET` says that something changed.

mod body;
pub mod changed;
mod kept;
mod sources;

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, Method, header, request::Parts},
    response::{IntoResponse, Response},
    routing::post,
};
use common::{
    envelope::{self, Limits, Refusal},
    problem::Problem,
    time::now_ms,
};

use crate::{
    App,
    event::{NewEvent, Rank, Shown},
    log::Refused,
};

pub use body::Receiving;
pub use sources::Sources;

const MAX_EVENTS: usize = 1000;
const MAX_DEPTH: usize = 128;
const MAX_ID_CHARS: usize = 256;
const MAX_SOURCE_CHARS: usize = 64;
const DEFAULT_SOURCE: &str = "default";

/// The routes; they stand behind the least layers, for their speed.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/consumetasks", post(take).get(changed::take))
        .route("/consumetasks/", post(take).get(changed::take))
        .route("/consumetasks/{source}", post(take_from).get(changed::take_from))
        .route("/consumetasks/{source}/", post(take_from).get(changed::take_from))
}

#[utoipa::path(post, path = "/consumetasks", tag = "intake", operation_id = "consumetasks",
    request_body(content = serde_json::Value, description = "A JSON object, an array (one event each, at most 1000), or NDJSON; the Content-Type does not matter"),
    params(("webhook-id" = Option<String>, Header, description = "Idempotency key: a repeat is answered 200 and not stored again")),
    responses((status = 200, description = "OK: every event of the body is committed", body = String),
        (status = 400, description = "Not JSON; says where it broke"), (status = 403, description = "A new source, and there are as many as may be"), (status = 413, description = "Too large, or too many events"),
        (status = 503, description = "The queue is full or the log cannot be written; Retry-After says when to come again")))]
pub async fn take(State(app): State<App>, request: Request) -> Response {
    answer(&app, DEFAULT_SOURCE, request).await
}

async fn take_from(State(app): State<App>, Path(source): Path<String>, request: Request) -> Response {
    answer(&app, &source, request).await
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
        None => answer(&app, DEFAULT_SOURCE, request).await,
    }
}

async fn answer(app: &App, source: &str, request: Request) -> Response {
    let received = receive(app, source, request).await;
    told(app, received)
}

fn told(app: &App, received: Result<(), Problem>) -> Response {
    let response = match received {
        Ok(()) => "OK".into_response(),
        Err(problem) => problem.into_response(),
    };
    app.metrics.answered(response.status().as_u16());
    response
}

async fn receive(app: &App, source: &str, request: Request) -> Result<(), Problem> {
    check_source(source)?;
    let (parts, body) = request.into_parts();
    let webhook_id = webhook_id(&parts.headers)?;
    let received = body::read(body, &parts.headers, app.config.max_body, &app.receiving).await?;
    let events = events(&parts, source, webhook_id, &received.bytes)?;
    // From here on the log counts what is waiting.
    drop(received);
    append(app, source, events).await
}

async fn append(app: &App, source: &str, events: Vec<NewEvent>) -> Result<(), Problem> {
    if events.is_empty() {
        return Ok(());
    }
    app.sources.admit(&app.db, source).await?;
    app.log.append(events).await.map_err(come_again)
}

/// The events of a body.
fn events(parts: &Parts, source: &str, webhook_id: Option<&str>, body: &[u8]) -> Result<Vec<NewEvent>, Problem> {
    let bodies = envelope::split(body, Limits { max_events: MAX_EVENTS, max_depth: MAX_DEPTH }).map_err(explain)?;
    let source: Arc<str> = source.into();
    let (request, received_ms, many) = (kept::describe(parts, bodies.len()), now_ms(), bodies.len() > 1);
    // A space, which no sender's own id has.
    let events = bodies.into_iter().enumerate().map(|(place, body)| NewEvent {
        webhook_id: webhook_id.map(|id| if many { format!("{id} {place}") } else { id.to_owned() }),
        source: source.clone(),
        rank: Rank::of(&body),
        received_ms,
        request: request.clone(),
        body: body.into_owned(),
        shown: Shown::default(),
    });
    Ok(events.collect())
}

fn check_source(source: &str) -> Result<(), Problem> {
    let is_good = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    if !source.is_empty() && source.len() <= MAX_SOURCE_CHARS && source.chars().all(is_good) {
        return Ok(());
    }
    Err(Problem::bad_request("The name of a source has 1 to 64 letters, digits, dots, dashes or underscores."))
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

fn explain(refusal: Refusal) -> Problem {
    match refusal {
        Refusal::Empty => {
            Problem::bad_request("The body is empty. Send a JSON object, an array of them, or one a line.")
        }
        Refusal::NotAnEvent => {
            Problem::bad_request("A lone value is no event. Send a JSON object, an array of them, or one a line.")
        }
        Refusal::NotJson { line, column, offset, reason } => Problem::bad_request(format!(
            "The body is not JSON: {reason} at line {line}, column {column} (byte {offset})."
        ))
        .with("line", line)
        .with("column", column)
        .with("offset", offset),
        Refusal::TooDeep { offset, max_depth } => {
            Problem::bad_request(format!("The JSON is nested deeper than {max_depth} at byte {offset}."))
                .with("offset", offset)
                .with("max_depth", max_depth)
        }
        Refusal::TooMany { max_events } => Problem::too_large(format!(
            "One request carries at most {max_events} events; send the rest in further ones."
        ))
        .with("max_events", max_events),
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
