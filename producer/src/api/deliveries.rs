//! Deliveries: list, look, try again.

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use common::{problem::Problem, time::now_ms};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{limit, wants_json};
use crate::{
    App,
    extract::{self, Id, Params},
    report::{Attempt, Delivery, DeliveryDetail},
    store::deliveries::Retried,
};

/// Attempts a delivery is shown with.
const ATTEMPTS: i64 = 100;

#[derive(Deserialize, IntoParams)]
pub struct Page {
    /// Only those of this batch, in its order; else the newest first.
    batch: Option<String>,
    /// `waiting`, `delivered`, `failed`, `cancelled` or `held`.
    state: Option<String>,
    /// At most so many, 1 to 500; 50 unless told.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

#[derive(Serialize, ToSchema)]
pub struct Deliveries {
    deliveries: Vec<Delivery>,
    /// The cursor of the next page; `null` on the last one.
    next: Option<String>,
}

/// Deliveries, newest first, or those of one batch in its order.
#[utoipa::path(get, path = "/api/deliveries", tag = "deliveries", params(Page), responses((status = 200, body = Deliveries)))]
pub async fn list(State(app): State<App>, Params(page): Params<Page>) -> Result<Json<Deliveries>, Problem> {
    let limit = limit(page.limit, 50, 500)?;
    let asked = [&page.batch, &page.state, &page.cursor].map(|text| text.as_deref().unwrap_or_default());
    let (stored, next) = app.store.deliveries(&extract::filter(asked, limit)?).await?;
    let attempts_max = app.settings.retry_schedule.attempts();
    Ok(Json(Deliveries { deliveries: stored.iter().map(|stored| Delivery::of(stored, attempts_max)).collect(), next }))
}

/// One delivery with its body and its attempts.
#[utoipa::path(get, path = "/api/deliveries/{id}", tag = "deliveries", params(("id" = String, Path)),
    responses((status = 200, body = DeliveryDetail), (status = 404, description = "No such delivery")))]
pub async fn show(State(app): State<App>, Id(id): Id) -> Result<Json<DeliveryDetail>, Problem> {
    let stored = app.store.delivery(&id).await?.ok_or_else(missing)?;
    let attempts = app.store.attempts(&id, ATTEMPTS).await?;
    let delivery = Delivery::of(&stored, app.settings.retry_schedule.attempts());
    Ok(Json(DeliveryDetail { delivery, body: stored.body, attempts: attempts.into_iter().map(Attempt::of).collect() }))
}

/// Send one delivery again at once, with a fresh schedule.
#[utoipa::path(post, path = "/api/deliveries/{id}/retry", tag = "deliveries", params(("id" = String, Path)),
    responses((status = 202, body = Delivery), (status = 303, description = "The delivery's page"),
        (status = 404, description = "No such delivery"), (status = 409, description = "Delivered already, or being sent just now")))]
pub async fn retry(State(app): State<App>, Id(id): Id, headers: HeaderMap) -> Result<Response, Problem> {
    match app.store.retry_delivery(&id, now_ms()).await? {
        Retried::Queued => {}
        Retried::InFlight => return Err(Problem::conflict("It is being sent just now; wait for the answer.")),
        Retried::DeliveredAlready => return Err(Problem::conflict("It was delivered already.")),
        Retried::Unknown => return Err(missing()),
    }
    app.queued();
    let stored = app.store.delivery(&id).await?.ok_or_else(missing)?;
    if let Some(batch) = &stored.batch_id {
        app.moved(std::slice::from_ref(batch));
    }
    if wants_json(&headers) {
        let delivery = Delivery::of(&stored, app.settings.retry_schedule.attempts());
        return Ok((StatusCode::ACCEPTED, Json(delivery)).into_response());
    }
    Ok(Redirect::to(&format!("/deliveries/{}", stored.id)).into_response())
}

fn missing() -> Problem {
    Problem::not_found("such delivery")
}
