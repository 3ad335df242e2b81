//! The framework's own refusals (a query that cannot be read, a method that a route does not take), told as problems like all others.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{StatusCode, Uri, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::problem::Problem;

const MAX_WORDS: usize = 4096;

/// Makes a problem of an error that is plain text or has no body; its headers, such as `Allow`, stay.
pub async fn as_problem(request: Request, next: Next) -> Response {
    let (uri, method) = (request.uri().clone(), request.method().clone());
    let response = next.run(request).await;
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_plain = content_type.is_none_or(|kind| kind.as_bytes().starts_with(b"text/plain"));
    if !response.status().is_client_error() || !is_plain {
        return response;
    }
    let (parts, body) = response.into_parts();
    let words = words(body).await;
    let detail = match parts.status {
        StatusCode::METHOD_NOT_ALLOWED => format!("{} does not take {method}.", uri.path()),
        status if words.is_empty() => status.canonical_reason().unwrap_or("The request is refused.").to_owned(),
        _ => words.clone(),
    };
    let problem = Problem::new(parts.status, detail);
    let problem = match parameter(&uri, &words) {
        Some(name) => problem.with("parameter", name),
        None => problem,
    };
    let mut response = problem.into_response();
    for (name, value) in &parts.headers {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

async fn words(body: Body) -> String {
    let bytes = to_bytes(body, MAX_WORDS).await.unwrap_or_default();
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The words name a parameter of the query that they are about somewhere between colons.
fn parameter(uri: &Uri, words: &str) -> Option<String> {
    let mut names = form_urlencoded::parse(uri.query()?.as_bytes()).map(|(name, _)| name);
    names.find(|name| words.split(": ").any(|word| word == name)).map(Into::into)
}
