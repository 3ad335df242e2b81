//! What every request of the API passes: the Content-Type that `PyWebhooks` asks for, even of GET, and its words for what has no route.

use std::net::{IpAddr, SocketAddr};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use serde_json::json;

use super::wire::{self, Guessed, Refusal};
use crate::App;

/// Asks for `Content-Type: application/json…`, takes a slash at the end of any path, and words 404, 405 and OPTIONS as Flask does.
pub async fn pass(State(app): State<App>, mut request: Request, next: Next) -> Response {
    if !is_json(request.headers()) {
        return unsupported();
    }
    if let Some(uri) = without_slash(request.uri()) {
        *request.uri_mut() = uri;
    }
    let (method, peer) = (request.method().clone(), peer(&request));
    let response = next.run(request).await;
    let is_bare = !response.headers().contains_key(header::CONTENT_TYPE);
    match response.status() {
        StatusCode::UNAUTHORIZED if response.extensions().get::<Guessed>().is_some() => guessed(&app, peer, response),
        StatusCode::METHOD_NOT_ALLOWED => method_not_allowed(&method, &response),
        StatusCode::NOT_FOUND if is_bare => not_found(),
        _ => response,
    }
}

/// Where the request comes from.
fn peer(request: &Request) -> IpAddr {
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    peer.unwrap_or(IpAddr::from([0, 0, 0, 0]))
}

/// The answer to a key that is none, unless too many such came from there.
fn guessed(app: &App, peer: IpAddr, answer: Response) -> Response {
    let told = |wait| {
        Refusal::new(StatusCode::TOO_MANY_REQUESTS, "Too many wrong API keys from this address")
            .after(wait)
            .into_response()
    };
    app.guesses.count(peer).map_or_else(told, |()| answer)
}

/// What a client of `PyWebhooks` is answered on a path that nothing here has; such a client names the type of a body that it does not send. `None`: it
/// is no such client.
pub fn astray(method: &Method, headers: &HeaderMap) -> Option<Response> {
    let names_a_type =
        !matches!(*method, Method::POST | Method::PUT | Method::PATCH) && headers.contains_key(header::CONTENT_TYPE);
    names_a_type.then(|| if is_json(headers) { not_found() } else { unsupported() })
}

fn unsupported() -> Response {
    let html = HeaderValue::from_static("text/html; charset=utf-8");
    (StatusCode::UNSUPPORTED_MEDIA_TYPE, [(header::CONTENT_TYPE, html)], "Unsupported Media Type").into_response()
}

fn not_found() -> Response {
    (StatusCode::NOT_FOUND, Html(NOT_FOUND)).into_response()
}

const NOT_FOUND: &str = "<!doctype html>\n<html lang=en>\n<title>404 Not Found</title>\n<h1>Not Found</h1>\n\
    <p>The requested URL was not found on the server. The routes of this API are described at /openapi.json.</p>\n";

/// By the beginning alone, in any case.
fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes).unwrap_or_default();
    kind.get(..16).is_some_and(|kind| kind.eq_ignore_ascii_case(b"application/json"))
}

fn without_slash(uri: &Uri) -> Option<Uri> {
    let path = uri.path().strip_suffix('/')?;
    let query = uri.query().map_or_else(String::new, |query| format!("?{query}"));
    format!("{path}{query}").parse().ok()
}

fn method_not_allowed(method: &Method, response: &Response) -> Response {
    let allow = response.headers().get(header::ALLOW).and_then(|allow| allow.to_str().ok()).unwrap_or_default();
    let allow = if allow.is_empty() { "OPTIONS".to_owned() } else { format!("{allow},OPTIONS") };
    let mut answer = if method == Method::OPTIONS {
        StatusCode::OK.into_response()
    } else {
        let message = "The method is not allowed for the requested URL.";
        wire::json(StatusCode::METHOD_NOT_ALLOWED, &json!({ "message": message }))
    };
    let allow = HeaderValue::from_str(&allow).expect("names of methods are ASCII");
    answer.headers_mut().insert(header::ALLOW, allow);
    answer
}
