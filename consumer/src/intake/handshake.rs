//! `OPTIONS /consumetasks[/{source}]` of the `CloudEvents` HTTP webhook specification (section 4): a sender asks whether it may send, and how fast.

use axum::{
    Router,
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::options,
};
use common::problem::Problem;

use super::{DEFAULT_SOURCE, check_source, door, door::Place};
use crate::App;

const ORIGIN: HeaderName = HeaderName::from_static("webhook-request-origin");
const RATE: HeaderName = HeaderName::from_static("webhook-request-rate");
const ALLOWED_ORIGIN: HeaderName = HeaderName::from_static("webhook-allowed-origin");
const ALLOWED_RATE: HeaderName = HeaderName::from_static("webhook-allowed-rate");
const MAX_ORIGIN_BYTES: usize = 256;

/// Whether it is one; any other OPTIONS is a browser's.
pub fn is_one(request: &Request) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request.uri().path().starts_with("/consumetasks")
}

/// The routes for what [`is_one`].
pub fn routes() -> Router<App> {
    Router::new()
        .route("/consumetasks", options(take))
        .route("/consumetasks/", options(take))
        .route("/consumetasks/{source}", options(take_from))
        .route("/consumetasks/{source}/", options(take_from))
        .route("/consumetasks/{source}/{token}", options(take_with_token))
        .route("/consumetasks/{source}/{token}/", options(take_with_token))
}

async fn take(State(app): State<App>, request: Request) -> Response {
    answer(&app, DEFAULT_SOURCE, None, request)
}

async fn take_from(State(app): State<App>, Path(source): Path<String>, request: Request) -> Response {
    answer(&app, &source, None, request)
}

async fn take_with_token(
    State(app): State<App>,
    Path((source, token)): Path<(String, String)>,
    request: Request,
) -> Response {
    answer(&app, &source, Some(&token), request)
}

fn answer(app: &App, name: &str, token: Option<&str>, request: Request) -> Response {
    if let Some(problem) = app.edge.refusal(&request) {
        return problem.into_response();
    }
    match permission(app, name, token, &request.into_parts().0) {
        Ok(headers) => (StatusCode::OK, headers).into_response(),
        Err(problem) => problem.into_response(),
    }
}

/// It is given at once, so a `WebHook-Request-Callback` is never called.
fn permission(app: &App, name: &str, token: Option<&str>, parts: &Parts) -> Result<HeaderMap, Problem> {
    check_source(name)?;
    let source = app.registry.get(name);
    door::allow(app, &Place { name, source: source.as_deref(), token }, parts)?;
    let origin = parts.headers.get(ORIGIN).filter(|origin| is_origin(origin)).cloned();
    let origin =
        origin.ok_or_else(|| Problem::bad_request("WebHook-Request-Origin is the DNS name of the sending system."))?;
    if parts.headers.get(RATE).is_some_and(|rate| !is_rate(rate)) {
        return Err(Problem::bad_request("WebHook-Request-Rate is a number of requests a minute, 1 or more."));
    }
    let rate = source.as_ref().and_then(|source| source.rate_per_minute());
    let rate = rate.map_or(HeaderValue::from_static("*"), HeaderValue::from);
    let allow = HeaderValue::from_static("POST, OPTIONS");
    Ok(HeaderMap::from_iter([(header::ALLOW, allow), (ALLOWED_ORIGIN, origin), (ALLOWED_RATE, rate)]))
}

fn is_origin(origin: &HeaderValue) -> bool {
    (1..=MAX_ORIGIN_BYTES).contains(&origin.len()) && origin.as_bytes().iter().all(u8::is_ascii_graphic)
}

fn is_rate(rate: &HeaderValue) -> bool {
    rate.to_str().is_ok_and(|rate| rate.parse::<u64>().is_ok_and(|rate| rate > 0))
}
