//! Registrations: the events that an account offers.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::{
    accounts::counted,
    body::{Members, Named},
    caller, paging,
    wire::{Answer, Counts, Refusal, deleted, epoch, json, raw},
};
use crate::{
    App,
    service::{
        LONGEST_DATA, LONGEST_TEXT,
        webhooks::{self, NewWebhook},
    },
    store::{accounts::Account, registrations::Registration},
};

#[derive(Serialize, ToSchema)]
pub struct RegistrationRecord {
    account_id: String,
    #[schema(value_type = serde_json::Value, example = "This is my registered webhook")]
    description: Box<RawValue>,
    #[schema(example = 1_441_166_640.359_496)]
    epoch: f64,
    /// Sent as the header `event`, which only a text can be.
    #[schema(value_type = serde_json::Value, example = "mywebhook.event")]
    event: Box<RawValue>,
    /// Sent as the body, in the form in which Python writes JSON, keys sorted.
    #[schema(value_type = serde_json::Value, example = json!({"items": [{"item1": 1}, {"item2": 2}], "message": "hello world"}))]
    event_data: Box<RawValue>,
    id: String,
}

impl From<&Registration> for RegistrationRecord {
    fn from(stored: &Registration) -> Self {
        Self {
            account_id: stored.account_id.clone(),
            description: raw(&stored.description),
            epoch: epoch(stored.created_us),
            event: raw(&stored.event),
            event_data: raw(&stored.event_data),
            id: stored.id.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct RegistrationPage {
    registrations: Vec<RegistrationRecord>,
    next_start: Option<i64>,
}

/// What is registered; anything else in the body is ignored.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "it describes the body; the members are read one by one")]
pub struct NewRegistration {
    description: String,
    event: String,
    event_data: serde_json::Value,
}

/// Register an event that others can subscribe to.
#[utoipa::path(post, path = "/v1/webhook/registration", tag = "registrations",
    request_body(content = NewRegistration, example = json!({"description": "This is my registered webhook", "event": "mywebhook.event", "event_data": {"items": [{"item1": 1}, {"item2": 2}], "message": "hello world"}})),
    responses((status = 201, body = RegistrationRecord), (status = 400, description = "`{\"Error\": …}`: a member is missing or cannot be sent")))]
pub async fn create(State(app): State<App>, headers: HeaderMap, body: Bytes) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let members = Members::read(&body)?;
    let get = |name: &str, most| members.get(name, most)?.ok_or_else(|| Refusal::bad(format!("Missing {name} field")));
    let new = NewWebhook {
        description: get("description", LONGEST_TEXT)?,
        event: get("event", LONGEST_TEXT)?,
        event_data: get("event_data", LONGEST_DATA)?,
    };
    let registered = webhooks::register(&app, &caller, new).await?;
    Ok(json(StatusCode::CREATED, &RegistrationRecord::from(&registered)))
}

/// List your own registrations.
#[utoipa::path(get, path = "/v1/webhook/registration", tag = "registrations", params(("start" = i64, Query), ("limit" = i64, Query)),
    responses((status = 200, body = RegistrationPage), (status = 204, description = "Nothing from there on")))]
pub async fn list_own(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let slice = paging::read(&uri)?;
    let found = app.store.registrations_of(&caller.id, slice).await?;
    let records: Vec<RegistrationRecord> = found.iter().map(Into::into).collect();
    Ok(paging::page("registrations", &records, slice))
}

/// List everybody's registrations: what can be subscribed to.
#[utoipa::path(get, path = "/v1/webhook/registrations", tag = "registrations", params(("start" = i64, Query), ("limit" = i64, Query)),
    responses((status = 200, body = RegistrationPage), (status = 204, description = "Nothing from there on")))]
pub async fn list(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Answer {
    caller::known(&app, &headers).await?;
    let slice = paging::read(&uri)?;
    let records: Vec<RegistrationRecord> = app.store.registrations(slice).await?.iter().map(Into::into).collect();
    Ok(paging::page("registrations", &records, slice))
}

/// Look at one registration. `PyWebhooks` failed here; its check of the paging stays.
#[utoipa::path(get, path = "/v1/webhook/registration/{id}", tag = "registrations",
    params(("id" = String, Path, description = "The registration"), ("start" = i64, Query), ("limit" = i64, Query)),
    responses((status = 200, body = RegistrationRecord), (status = 404, description = "`{\"Error\": …}`")))]
pub async fn show(State(app): State<App>, Named(id): Named, uri: Uri, headers: HeaderMap) -> Answer {
    caller::known(&app, &headers).await?;
    paging::read(&uri)?;
    let found = app.store.registration(&id).await?;
    let found = found.ok_or_else(|| Refusal::missing("The registration id does not exist"))?;
    Ok(json(StatusCode::OK, &RegistrationRecord::from(&found)))
}

/// Describe a registration anew: your own, or as administrator any.
#[utoipa::path(patch, path = "/v1/webhook/registration/{id}", tag = "registrations", params(("id" = String, Path, description = "The registration")),
    request_body(content = String, example = json!({"description": "New Description"})),
    responses((status = 200, body = Counts), (status = 400, description = "`{\"Error\": \"Description field missing\"}`"), (status = 401, description = "`{\"Error\": \"Not authorized\"}`")))]
pub async fn change(State(app): State<App>, Named(id): Named, headers: HeaderMap, body: Bytes) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    may_change(&app, &caller, &id).await?;
    let description = Members::read(&body)?.get("description", LONGEST_TEXT)?;
    let description = description.ok_or_else(|| Refusal::bad("Description field missing"))?;
    Ok(counted(app.store.describe(&id, &description).await?))
}

/// Delete a registration, and everybody's subscriptions to it: your own, or as administrator any.
#[utoipa::path(delete, path = "/v1/webhook/registration/{id}", tag = "registrations", params(("id" = String, Path, description = "The registration")),
    responses((status = 200, body = Counts), (status = 401, description = "`{\"Error\": \"Not authorized\"}`")))]
pub async fn delete(State(app): State<App>, Named(id): Named, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    may_change(&app, &caller, &id).await?;
    Ok(deleted(u64::from(app.store.delete_registration(&id).await?)))
}

/// Delete all registrations (administrators only); subscriptions stay.
#[utoipa::path(delete, path = "/v1/webhook/registrations", tag = "registrations", responses((status = 200, body = Counts)))]
pub async fn delete_all(State(app): State<App>, headers: HeaderMap) -> Answer {
    caller::admin(&app, &headers).await?;
    Ok(deleted(app.store.delete_registrations().await?))
}

/// An administrator may change any, also one that does not exist; others their own.
async fn may_change(app: &App, caller: &Account, id: &str) -> Result<(), Refusal> {
    let is_own =
        async || Ok::<_, Refusal>(app.store.registration(id).await?.is_some_and(|found| found.account_id == caller.id));
    if caller.is_admin || is_own().await? { Ok(()) } else { Err(Refusal::unauthorized("Not authorized")) }
}

/// `PATCH` and `DELETE` without an id.
pub async fn no_id() -> Refusal {
    Refusal::bad("Missing registration_id")
}

/// `POST` with an id.
pub async fn takes_no_id(State(app): State<App>, headers: HeaderMap) -> Answer {
    caller::known(&app, &headers).await?;
    Err(Refusal::bad("This request takes no registration_id: leave it out of the path"))
}
