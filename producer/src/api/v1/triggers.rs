//! Triggering a registration: its event goes to everybody who is subscribed.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    body::{Members, Named},
    caller, paging,
    wire::{Answer, Refusal, epoch, json},
};
use crate::{
    App,
    service::LONGEST_DATA,
    store::triggered::Triggered,
    trigger::{self, Event},
};

const LONGEST_KEY: usize = 255;

#[derive(Serialize, ToSchema)]
pub struct TriggeredRecord {
    #[schema(example = 1_441_334_032.467_688)]
    epoch: f64,
    id: String,
    registration_id: String,
}

impl From<&Triggered> for TriggeredRecord {
    fn from(stored: &Triggered) -> Self {
        Self { epoch: epoch(stored.created_us), id: stored.id.clone(), registration_id: stored.registration_id.clone() }
    }
}

#[derive(Serialize, ToSchema)]
pub struct TriggeredPage {
    triggered_webhooks: Vec<TriggeredRecord>,
    next_start: Option<i64>,
}

/// Trigger your registration: a delivery for each subscription is stored before the answer.
///
/// A body `{"event_data": …}` is sent instead of the registered data, this once; any other body is ignored. With the header `Idempotency-Key` the same
/// request within 24 hours gets the first answer again, and triggers nothing.
#[utoipa::path(post, path = "/v1/webhook/triggered/{id}", tag = "triggers",
    params(("id" = String, Path, description = "The registration"), ("Idempotency-Key" = Option<String>, Header)),
    request_body(content = String, example = json!({"event_data": {"message": "hello again"}})),
    responses((status = 201, body = TriggeredRecord), (status = 401, description = "`{\"Error\": …}`: it is not yours"), (status = 404, description = "`{\"Error\": \"Registration id not found\"}`")))]
pub async fn create(State(app): State<App>, Named(id): Named, headers: HeaderMap, body: Bytes) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let found = app.store.registration(&id).await?;
    let registration = found.ok_or_else(|| Refusal::missing("Registration id not found"))?;
    if registration.account_id != caller.id {
        let text = "You don't have access to this registration record or it no longer exists";
        return Err(Refusal::unauthorized(text));
    }
    let data = match Members::read(&body) {
        Ok(members) => members.get("event_data", LONGEST_DATA)?,
        Err(_) => None,
    };
    let key = idempotency_key(&headers)?;
    let stored = trigger::fire(&app, Event { registration, data, key }).await?;
    Ok(json(StatusCode::CREATED, &TriggeredRecord::from(&stored.triggered)))
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Refusal> {
    let Some(key) = headers.get("idempotency-key") else { return Ok(None) };
    let key = key.to_str().ok().filter(|key| (1..=LONGEST_KEY).contains(&key.len()));
    let bad = || Refusal::bad(format!("Idempotency-Key: write 1 to {LONGEST_KEY} plain characters"));
    key.map(|key| Some(key.to_owned())).ok_or_else(bad)
}

/// List everything that was triggered; here the paging is checked before the keys.
#[utoipa::path(get, path = "/v1/webhook/triggered", tag = "triggers", params(("start" = i64, Query), ("limit" = i64, Query)),
    responses((status = 200, body = TriggeredPage), (status = 204, description = "Nothing from there on")))]
pub async fn list(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Answer {
    let slice = paging::read(&uri)?;
    caller::known(&app, &headers).await?;
    let records: Vec<TriggeredRecord> = app.store.triggered(slice).await?.iter().map(Into::into).collect();
    Ok(paging::page("triggered_webhooks", &records, slice))
}

/// Look at one triggered event. `PyWebhooks` failed here; its check of the paging stays.
#[utoipa::path(get, path = "/v1/webhook/triggered/{id}", tag = "triggers",
    params(("id" = String, Path, description = "The triggered event"), ("start" = i64, Query), ("limit" = i64, Query)),
    responses((status = 200, body = TriggeredRecord), (status = 404, description = "`{\"Error\": …}`")))]
pub async fn show(State(app): State<App>, Named(id): Named, uri: Uri, headers: HeaderMap) -> Answer {
    paging::read(&uri)?;
    caller::known(&app, &headers).await?;
    let found = app.store.triggered_one(&id).await?;
    let found = found.ok_or_else(|| Refusal::missing("The triggered id does not exist"))?;
    Ok(json(StatusCode::OK, &TriggeredRecord::from(&found)))
}

/// `POST` without an id.
pub async fn no_id() -> Refusal {
    Refusal::bad("Missing registration_id")
}
