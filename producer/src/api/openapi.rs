//! `GET /openapi.json`: the API described by itself.

use axum::{Json, Router, routing::get};
use common::openapi::{answers, describe_edge, operations};
use utoipa::openapi::{
    Components, InfoBuilder, OpenApi, OpenApiBuilder, RefOr,
    path::{Operation, Parameter},
    security::{ApiKey, ApiKeyValue, SecurityRequirement, SecurityScheme},
    tag::{Tag, TagBuilder},
};

const ABOUT: &str = "Queues tasks as webhooks, delivers them, and tells how far they are. Errors are application/problem+json (RFC 9457).\n\n\
    The paths below `/v1` are the **accounts API**, which keeps the wire contract of PyWebhooks. Every request to it says `Content-Type: application/json`, \
    GET and DELETE too (otherwise 415); it knows its callers by the headers `username` and `api-key`; its errors are `{\"Error\": …}`. \
    Lists take `start` (from 0) and `limit` (1 to 100); after a full page the answer has `next_start`, and a page with nothing on it is 204.";

/// In the order of their first use.
const TAGS: [(&str, &str); 5] = [
    (
        "accounts",
        "Who takes part: a name, an endpoint, and two keys. The API key identifies the caller, the secret key signs what is sent.",
    ),
    ("registrations", "The events that an account offers, with the data that is sent."),
    (
        "subscriptions",
        "Who wants a registration's events, and how they are sent: profile, order, rate, filter, headers.",
    ),
    ("triggers", "An event happens: a delivery for each subscription is stored before the answer."),
    ("delivery log", "What was sent to whom, every attempt of it, and trying again."),
];

/// What can be asked without keys.
const OPEN: [(&str, &str); 2] = [("/v1/account", "post"), ("/v1/account/reset/apikey", "post")];

/// The head of the document; the routes add themselves.
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Hookcast producer")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(ABOUT))
        .build();
    OpenApiBuilder::new().info(info).tags(Some(TAGS.map(tag))).build()
}

fn tag((name, description): (&str, &str)) -> Tag {
    TagBuilder::new().name(name).description(Some(description)).build()
}

/// Serves the finished document.
pub fn route<S: Clone + Send + Sync + 'static>(document: OpenApi) -> Router<S> {
    let document = secured(document);
    Router::new().route("/openapi.json", get(move || async move { Json(document) }))
}

/// Says of every operation of the accounts API which headers it needs, and what it answers to any request that is wrong.
fn secured(mut document: OpenApi) -> OpenApi {
    let components = document.components.get_or_insert_with(Components::new);
    for (name, header, about) in [
        ("username", "username", "The account's name."),
        ("apiKey", "api-key", "The account's API key, as it was shown when the account was made."),
    ] {
        let scheme = SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description(header, about)));
        components.add_security_scheme(name, scheme);
    }
    for (path, item) in &mut document.paths.paths {
        if path.starts_with("/v1/") {
            for (method, operation) in operations(item) {
                if !OPEN.contains(&(path, method)) {
                    needs_keys(operation);
                }
                says_what_is_wrong(path, operation);
            }
        }
    }
    describe_edge(&mut document);
    document
}

/// Both headers at once.
fn needs_keys(operation: &mut Operation) {
    let none = || [] as [&str; 0];
    let both = SecurityRequirement::new("username", none()).add("apiKey", none());
    operation.security = Some(vec![both]);
    answers(operation, "401", "`{\"Error\": …}`: a header is missing, or the two do not belong together");
    answers(operation, "429", "`{\"Error\": …}`: too many wrong keys from this address; see `Retry-After`");
}

/// Where the operation itself says nothing of it.
fn says_what_is_wrong(path: &str, operation: &mut Operation) {
    let is_limit = |parameter: &RefOr<_>| matches!(parameter, RefOr::T(Parameter { name, .. }) if name == "limit");
    let pages = operation.parameters.iter().flatten().any(is_limit);
    if pages || operation.request_body.is_some() {
        answers(operation, "400", "`{\"Error\": …}` or `{\"message\": …}`: says what to change");
    }
    if path.ends_with("{id}") || path.contains("{id}/") {
        answers(operation, "404", "`{\"Error\": …}`: there is none");
    }
    answers(operation, "415", "`Content-Type: application/json` is missing");
}
