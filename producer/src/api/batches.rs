//! Batches: produce, list, look, cancel, retry.

use std::time::Duration;

use axum::{
    Json,
    extract::State,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use common::{problem::Problem, time::now_ms};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    batch_answer, limit,
    order::{self, Order},
};
use crate::{
    App,
    extract::{Body, Id, Params},
    progress::{Batch, Line},
    sources::{devices::hardware, fake},
};

#[derive(Deserialize, IntoParams)]
pub struct Page {
    /// At most so many, 1 to 500; 50 unless told.
    limit: Option<i64>,
}

#[derive(Deserialize, IntoParams)]
pub struct LinesPage {
    /// Only what follows this place in the event log.
    after: Option<i64>,
    /// At most so many, 1 to 1000; 500 unless told.
    limit: Option<i64>,
}

#[derive(Serialize, ToSchema)]
pub struct Batches {
    /// The newest first.
    batches: Vec<Batch>,
}

#[derive(Serialize, ToSchema)]
pub struct Lines {
    lines: Vec<Line>,
}

/// Produce a batch of tasks, or of readings of hardware.
///
/// With `source` `hardware` every device is read now, this machine's own sensors and the sources of DEVICES, and each reading is a task with the members of
/// its device; what cannot be read is a task with `error`. A form is led to the batch's page (303), or comes back with what is wrong beside its field (400); `Accept: application/json` gets the batch (202). The tasks are stored before the answer.
#[utoipa::path(post, path = "/producetasks", tag = "batches", request_body = order::NewBatch,
    responses((status = 202, body = Batch, description = "Queued"), (status = 303, description = "Queued; the batch's page"),
        (status = 400, description = "A field cannot be read; `field` names it"), (status = 503, description = "No device can be read")))]
pub async fn create(State(app): State<App>, headers: HeaderMap, Body(body): Body) -> Result<Response, Problem> {
    let batch = match order::read(&app, &headers, &body)? {
        Order::Tasks(order) => fake::produce(&app, order).await?,
        Order::Hardware(order) => hardware::produce(&app, order).await?.ok_or_else(nothing_read)?,
    };
    Ok(batch_answer(&headers, StatusCode::ACCEPTED, &Batch::of(&batch, now_ms())))
}

/// The newest batches.
#[utoipa::path(get, path = "/api/batches", tag = "batches", params(Page), responses((status = 200, body = Batches)))]
pub async fn list(State(app): State<App>, Params(page): Params<Page>) -> Result<Json<Batches>, Problem> {
    let stored = app.store.batches(limit(page.limit, 50, 500)?).await?;
    let now_ms = now_ms();
    Ok(Json(Batches { batches: stored.iter().map(|batch| Batch::of(batch, now_ms)).collect() }))
}

/// One batch and how far it is.
#[utoipa::path(get, path = "/api/batches/{id}", tag = "batches", params(("id" = String, Path)),
    responses((status = 200, body = Batch), (status = 404, description = "No such batch")))]
pub async fn show(State(app): State<App>, Id(id): Id) -> Result<Json<Batch>, Problem> {
    let batch = app.store.batch(&id).await?.ok_or_else(|| missing(&id))?;
    Ok(Json(Batch::of(&batch, now_ms())))
}

/// The batch's event log: one line per attempt, in the order of recording.
#[utoipa::path(get, path = "/api/batches/{id}/lines", tag = "batches", params(("id" = String, Path), LinesPage),
    responses((status = 200, body = Lines), (status = 404, description = "No such batch")))]
pub async fn lines(
    State(app): State<App>,
    Id(id): Id,
    Params(page): Params<LinesPage>,
) -> Result<Json<Lines>, Problem> {
    let limit = limit(page.limit, 500, 1000)?;
    let batch = app.store.batch(&id).await?.ok_or_else(|| missing(&id))?;
    let entries = app.store.entries(&id, page.after.unwrap_or(0), limit).await?;
    let attempts_max = app.settings.retry_schedule.attempts();
    let lines = entries.into_iter().map(|entry| Line::of(entry, batch.total, attempts_max)).collect();
    Ok(Json(Lines { lines }))
}

/// Take what was not sent yet out of the queue.
#[utoipa::path(post, path = "/batches/{id}/cancel", tag = "batches", params(("id" = String, Path)),
    responses((status = 200, body = Batch), (status = 303, description = "The batch's page"), (status = 404, description = "No such batch")))]
pub async fn cancel(State(app): State<App>, Id(id): Id, headers: HeaderMap) -> Result<Response, Problem> {
    let batch = app.store.cancel_batch(&id, now_ms()).await?.ok_or_else(|| missing(&id))?;
    app.moved(std::slice::from_ref(&id));
    Ok(batch_answer(&headers, StatusCode::OK, &Batch::of(&batch, now_ms())))
}

/// Send what failed again with a fresh schedule, and what waits for a retry at once.
#[utoipa::path(post, path = "/batches/{id}/retry", tag = "batches", params(("id" = String, Path)),
    responses((status = 202, body = Batch), (status = 303, description = "The batch's page"), (status = 404, description = "No such batch")))]
pub async fn retry(State(app): State<App>, Id(id): Id, headers: HeaderMap) -> Result<Response, Problem> {
    let batch = app.store.retry_batch(&id, now_ms()).await?.ok_or_else(|| missing(&id))?;
    app.queued();
    app.moved(std::slice::from_ref(&id));
    Ok(batch_answer(&headers, StatusCode::ACCEPTED, &Batch::of(&batch, now_ms())))
}

fn nothing_read() -> Problem {
    Problem::unavailable("No device can be read: look at device_mask in the file of DEVICES.", Duration::from_secs(10))
}

fn missing(id: &str) -> Problem {
    Problem::not_found(format!("batch {id}"))
}
