//! Subscriptions: who wants to be sent a registration's events.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use common::time::now_ms;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    accounts::deleted_or_skipped,
    body::Named,
    caller, paging,
    wire::{Answer, Counts, Refusal, deleted, epoch, json},
};
use crate::{App, service::webhooks, store::subscriptions::Subscription};

#[derive(Serialize, ToSchema)]
pub struct SubscriptionRecord {
    account_id: String,
    #[schema(example = 1_441_145_067.959_285)]
    epoch: f64,
    id: String,
    registration_id: String,
}

impl From<&Subscription> for SubscriptionRecord {
    fn from(stored: &Subscription) -> Self {
        Self {
            account_id: stored.account_id.clone(),
            epoch: epoch(stored.created_us),
            id: stored.id.clone(),
            registration_id: stored.registration_id.clone(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub struct SubscriptionPage {
    subscriptions: Vec<SubscriptionRecord>,
    next_start: Option<i64>,
}

/// Subscribe to a registration; each request makes a subscription of its own.
#[utoipa::path(post, path = "/v1/webhook/subscription/{id}", tag = "subscriptions", params(("id" = String, Path, description = "The registration")),
    responses((status = 201, body = SubscriptionRecord), (status = 404, description = "`{\"Error\": \"The registration id does not exist\"}`")))]
pub async fn create(State(app): State<App>, Named(registration_id): Named, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let subscribed = webhooks::subscribe(&app, &caller, &registration_id).await?;
    Ok(json(StatusCode::CREATED, &SubscriptionRecord::from(&subscribed)))
}

/// List your own subscriptions.
#[utoipa::path(get, path = "/v1/webhook/subscription", tag = "subscriptions", params(("start" = i64, Query), ("limit" = i64, Query)),
    responses((status = 200, body = SubscriptionPage), (status = 204, description = "Nothing from there on")))]
pub async fn list_own(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let slice = paging::read(&uri)?;
    let found = app.store.subscriptions_of(&caller.id, slice).await?;
    let records: Vec<SubscriptionRecord> = found.iter().map(Into::into).collect();
    Ok(paging::page("subscriptions", &records, slice))
}

/// List everybody's subscriptions; here the paging is checked before the keys.
#[utoipa::path(get, path = "/v1/webhook/subscriptions", tag = "subscriptions", params(("start" = i64, Query), ("limit" = i64, Query)),
    responses((status = 200, body = SubscriptionPage), (status = 204, description = "Nothing from there on")))]
pub async fn list(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Answer {
    let slice = paging::read(&uri)?;
    caller::known(&app, &headers).await?;
    let records: Vec<SubscriptionRecord> = app.store.subscriptions(slice).await?.iter().map(Into::into).collect();
    Ok(paging::page("subscriptions", &records, slice))
}

/// Look at one subscription. `PyWebhooks` failed here; its check of the paging stays.
#[utoipa::path(get, path = "/v1/webhook/subscription/{id}", tag = "subscriptions",
    params(("id" = String, Path, description = "The subscription"), ("start" = i64, Query), ("limit" = i64, Query)),
    responses((status = 200, body = SubscriptionRecord), (status = 404, description = "`{\"Error\": …}`")))]
pub async fn show(State(app): State<App>, Named(id): Named, uri: Uri, headers: HeaderMap) -> Answer {
    caller::known(&app, &headers).await?;
    paging::read(&uri)?;
    let found = app.store.subscription(&id).await?;
    let found = found.ok_or_else(|| Refusal::missing("The subscription id does not exist"))?;
    Ok(json(StatusCode::OK, &SubscriptionRecord::from(&found)))
}

/// End a subscription: your own, or as administrator any. What is on its way is still sent.
#[utoipa::path(delete, path = "/v1/webhook/subscription/{id}", tag = "subscriptions", params(("id" = String, Path, description = "The subscription")),
    responses((status = 200, body = Counts), (status = 401, description = "`{\"Error\": \"Not authorized\"}`")))]
pub async fn delete(State(app): State<App>, Named(id): Named, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let is_own = app.store.subscription(&id).await?.is_some_and(|found| found.account_id == caller.id);
    if !is_own && !caller.is_admin {
        return Err(Refusal::unauthorized("Not authorized"));
    }
    Ok(deleted_or_skipped(app.store.delete_subscription(&id, now_ms()).await?))
}

/// End all subscriptions (administrators only).
#[utoipa::path(delete, path = "/v1/webhook/subscriptions", tag = "subscriptions", responses((status = 200, body = Counts)))]
pub async fn delete_all(State(app): State<App>, headers: HeaderMap) -> Answer {
    caller::admin(&app, &headers).await?;
    Ok(deleted(app.store.delete_subscriptions().await?))
}

/// `POST` and `DELETE` without an id.
pub async fn no_id() -> Refusal {
    Refusal::bad("Missing subscription_id")
}
