//! `GET /openapi.json`: the API described by itself.

use axum::{Json, Router, routing::get};
use utoipa::openapi::{InfoBuilder, OpenApi, OpenApiBuilder};

/// The head of the document; the routes add themselves.
pub fn document() -> OpenApi {
    let info = InfoBuilder::new()
        .title("Hookcast producer")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some("Queues tasks as webhooks, delivers them, and tells how far they are. Errors are application/problem+json (RFC 9457)."))
        .build();
    OpenApiBuilder::new().info(info).build()
}

/// Serves the finished document.
pub fn route<S: Clone + Send + Sync + 'static>(document: OpenApi) -> Router<S> {
    Router::new().route("/openapi.json", get(move || async move { Json(document) }))
}
