//! What its owner chooses for a subscription, a test event, and recovering what failed. Ours alone.

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use common::time::now_ms;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};
use utoipa::ToSchema;

use super::{
    body::{Members, Named},
    caller, deliveries,
    wire::{Answer, Refusal, json as answer, raw},
};
use crate::{
    App,
    service::{LONGEST_DATA, options, ping},
    store::subscriptions::{Options, Subscription},
};

/// The options of a subscription; in a change, what is left out stays.
#[derive(Serialize, ToSchema)]
pub struct OptionsRecord {
    /// `pywebhooks`: four attempts, `DEFAULT_RETRY` apart, only 200 with a JSON body is success. `standard`: the engine's schedule, any 2xx is success. `bare`: as `standard`, by a GET without a body, which only says that something happened.
    profile: &'static str,
    /// One after the other, in order; a failing head holds the others back.
    fifo: bool,
    /// Most requests a minute; 0: no limit.
    rate_per_minute: i64,
    /// `{"events": ["order.*"], "data": [{"pointer": "/amount", "greater": 100}]}`; `null`: everything.
    #[schema(value_type = Object)]
    filter: Option<Box<RawValue>>,
    /// Headers of your own, name to value.
    #[schema(value_type = Object)]
    headers: Option<Box<RawValue>>,
}

impl OptionsRecord {
    fn of(options: &Options) -> Self {
        Self {
            profile: options.profile.as_str(),
            fifo: options.fifo,
            rate_per_minute: options.rate_per_minute,
            filter: options.filter.as_deref().map(raw),
            headers: options.headers.as_deref().map(raw),
        }
    }
}

/// Look at a subscription's options.
#[utoipa::path(get, path = "/v1/webhook/subscription/{id}/options", tag = "subscriptions", params(("id" = String, Path)),
    responses((status = 200, body = OptionsRecord), (status = 404, description = "`{\"Error\": …}`")))]
pub async fn show(State(app): State<App>, Named(id): Named, headers: HeaderMap) -> Answer {
    let subscription = own(&app, &headers, &id).await?;
    Ok(answer(StatusCode::OK, &OptionsRecord::of(&subscription.options)))
}

/// Change a subscription's options; what is left out stays, and `null` is the default.
#[utoipa::path(patch, path = "/v1/webhook/subscription/{id}/options", tag = "subscriptions", params(("id" = String, Path)),
    request_body(content = OptionsRecord, example = json!({"profile": "standard", "rate_per_minute": 600, "filter": {"events": ["order.*"]}})),
    responses((status = 200, body = OptionsRecord), (status = 400, description = "`{\"Error\": …}` names the option")))]
pub async fn change(State(app): State<App>, Named(id): Named, headers: HeaderMap, body: Bytes) -> Answer {
    let subscription = own(&app, &headers, &id).await?;
    let changes: Map<String, Value> = serde_json::from_slice(&body).map_err(Refusal::unreadable)?;
    let options = changes.into_iter().try_fold(subscription.options, options::changed).map_err(Refusal::bad)?;
    app.store.set_options(&id, &options).await?;
    app.queued();
    Ok(answer(StatusCode::OK, &OptionsRecord::of(&options)))
}

/// Send a test event to one subscription, with the registered data or with `event_data` of the body, and see the attempt.
///
/// One attempt, which counts for nothing; neither the filter nor a disabled endpoint stops it.
#[utoipa::path(post, path = "/v1/webhook/subscription/{id}/ping", tag = "subscriptions", params(("id" = String, Path)),
    request_body(content = String, example = json!({"event_data": {"message": "is this thing on?"}})),
    responses((status = 200, body = deliveries::DeliveryWhole, description = "Attempted"), (status = 202, body = deliveries::DeliveryWhole, description = "Queued; it waits for its turn"),
        (status = 404, description = "`{\"Error\": …}`")))]
pub async fn ping(State(app): State<App>, Named(id): Named, headers: HeaderMap, body: Bytes) -> Answer {
    let subscription = own(&app, &headers, &id).await?;
    let data = Members::read(&body).ok().map(|members| members.get("event_data", LONGEST_DATA)).transpose()?.flatten();
    let pinged = ping::ping(&app, &subscription, data).await?;
    let status = if pinged.standing.attempts > 0 { StatusCode::OK } else { StatusCode::ACCEPTED };
    deliveries::whole(&app, status, &pinged).await
}

/// What to recover.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Recover {
    /// RFC 3339, or seconds since 1970: events that were triggered from then on.
    #[schema(value_type = String)]
    since: Value,
    /// Only count.
    #[serde(default)]
    dry_run: bool,
}

/// Send everything again that failed for good since a time; with `dry_run` only count it.
#[utoipa::path(post, path = "/v1/webhook/subscription/{id}/recover", tag = "delivery log", params(("id" = String, Path)),
    request_body(content = Recover, example = json!({"since": "2026-11-24T08:00:00Z", "dry_run": true})),
    responses((status = 200, description = "`{\"recovered\": n, \"dry_run\": …}`"), (status = 404, description = "`{\"Error\": …}`")))]
pub async fn recover(State(app): State<App>, Named(id): Named, headers: HeaderMap, body: Bytes) -> Answer {
    own(&app, &headers, &id).await?;
    let asked: Recover = serde_json::from_slice(&body).map_err(Refusal::unreadable)?;
    let since = asked.since.as_str().map_or_else(|| asked.since.to_string(), str::to_owned);
    let since_ms = deliveries::time("since", &since)?;
    let recovered = if asked.dry_run {
        app.store.recoverable(&id, since_ms).await?
    } else {
        i64::try_from(app.store.recover(&id, since_ms, now_ms()).await?).unwrap_or(i64::MAX)
    };
    if !asked.dry_run {
        app.queued();
    }
    Ok(answer(StatusCode::OK, &json!({ "recovered": recovered, "dry_run": asked.dry_run })))
}

/// The subscription, when it is the caller's or the caller an administrator.
async fn own(app: &App, headers: &HeaderMap, id: &str) -> Result<Subscription, Refusal> {
    let caller = caller::known(app, headers).await?;
    let found = app.store.subscription(id).await?;
    found.filter(|found| caller.is_admin || found.account_id == caller.id).ok_or_else(none)
}

fn none() -> Refusal {
    Refusal::missing("There is no such subscription of yours")
}
