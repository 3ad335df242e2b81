//! Every route of the JSON API on one screen.

mod batches;
mod deliveries;
mod devices;
mod events;
pub mod openapi;
mod ops;
mod order;
pub mod v1;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, Method, StatusCode, Uri, header},
    response::{IntoResponse, Redirect, Response},
};
use common::{edge::wants_page, problem::Problem};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;

/// Bodies are a handful of fields.
const BODY_LIMIT: usize = 64 * 1024;

/// The routes for everybody, those behind the gate, and what both say of themselves.
pub fn routes() -> (Router<App>, Router<App>, utoipa::openapi::OpenApi) {
    let open = OpenApiRouter::new().routes(routes!(ops::healthz)).routes(routes!(ops::readyz));
    let guarded = OpenApiRouter::with_openapi(openapi::document())
        .routes(routes!(batches::create))
        .routes(routes!(batches::list))
        .routes(routes!(batches::show))
        .routes(routes!(batches::lines))
        .routes(routes!(batches::cancel))
        .routes(routes!(batches::retry))
        .routes(routes!(events::follow))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::retry))
        .routes(routes!(devices::list))
        .routes(routes!(ops::metrics))
        .layer(DefaultBodyLimit::max(BODY_LIMIT));
    let (open, open_document) = open.split_for_parts();
    let (guarded, mut document) = guarded.split_for_parts();
    document.merge(open_document);
    (open, guarded, document)
}

/// Whatever has no route.
pub async fn not_found(method: Method, uri: Uri, headers: HeaderMap) -> Response {
    let astray = v1::gate::astray(&method, &headers);
    astray.unwrap_or_else(|| Problem::not_found(format!("page {}", uri.path())).into_response())
}

/// Whatever a route cannot be asked for with this method; the header `Allow` says with which it can.
pub async fn method_not_allowed(method: Method, uri: Uri) -> Problem {
    Problem::new(StatusCode::METHOD_NOT_ALLOWED, format!("{} does not take {method}.", uri.path()))
}

/// The size of a list: `fallback` when none is asked for.
fn limit(asked: Option<i64>, fallback: i64, most: i64) -> Result<i64, Problem> {
    let limit = asked.unwrap_or(fallback);
    if (1..=most).contains(&limit) {
        return Ok(limit);
    }
    Err(Problem::bad_request(format!("limit must be between 1 and {most}.")).with("field", "limit"))
}

/// Whether the caller wants JSON and not to be led to a page.
fn wants_json(headers: &HeaderMap) -> bool {
    let has = |name, what| {
        headers.get(name).and_then(|value| value.to_str().ok()).is_some_and(|value: &str| value.contains(what))
    };
    !wants_page(headers) && (has(header::ACCEPT, "application/json") || has(header::CONTENT_TYPE, "json"))
}

/// Leads a form back to the batch's page, tells a program the batch.
fn batch_answer(headers: &HeaderMap, status: StatusCode, batch: &crate::progress::Batch) -> Response {
    let page = format!("/batches/{}", batch.id);
    if wants_json(headers) {
        return (status, [(header::LOCATION, page)], axum::Json(batch)).into_response();
    }
    Redirect::to(&page).into_response()
}
