//! For those who watch the service: is it alive, is it ready, what does it count.

use axum::{extract::State, response::Response};
use common::{health, problem::Problem};

use crate::App;

/// Alive: the process answers.
#[utoipa::path(get, path = "/healthz", tag = "operations", responses((status = 200, description = "`ok`")))]
pub async fn healthz() -> &'static str {
    "ok\n"
}

/// Ready: the database answers, and takes what is written.
#[utoipa::path(get, path = "/readyz", tag = "operations",
    responses((status = 200, description = "Ready"), (status = 503, description = "The database does not answer, or has no room")))]
pub async fn readyz(State(app): State<App>) -> Response {
    health::readiness(&app.store.db, app.news.is_up()).await
}

/// Counters in the text format of Prometheus.
#[utoipa::path(get, path = "/metrics", tag = "operations", responses((status = 200, description = "OpenMetrics text")))]
pub async fn metrics(State(app): State<App>) -> Result<Response, Problem> {
    let waiting = app.store.waiting().await?;
    Ok(health::metrics(app.metrics.registry(waiting)))
}
