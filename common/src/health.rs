//! What a service says of itself to those who watch it: `/readyz` and `/metrics`.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use prometheus_client::{encoding::text::encode, registry::Registry};
use serde_json::json;

use crate::{db::Db, problem::Problem};

/// `/readyz`: 200 while the database answers and takes what is written, else 503; a broker that is away costs speed, not readiness, and is named.
pub async fn readiness(db: &Db, broker_is_up: Option<bool>) -> Response {
    let database_is_up = db.works().await;
    let word = |up: bool| if up { "up" } else { "down" };
    let status = if database_is_up { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let checks = json!({ "database": word(database_is_up), "broker": broker_is_up.map_or("in process", word) });
    (status, Json(json!({ "ready": database_is_up, "checks": checks }))).into_response()
}

/// `/metrics` in the text format of `OpenMetrics`.
#[must_use]
pub fn metrics(registry: &Registry) -> Response {
    let mut text = String::new();
    match encode(&mut text, registry) {
        Ok(()) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text)
            .into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}
