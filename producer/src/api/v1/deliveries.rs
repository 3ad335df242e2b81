//! The delivery log: what was sent, every attempt of it, and trying again. Ours alone.

use axum::{
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
};
use common::time::{now_ms, rfc3339};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use super::{
    body::Named,
    caller,
    wire::{Answer, Refusal, json, raw},
};
use crate::{
    App, canonical,
    report::Attempt,
    store::{
        accounts::Account,
        deliveries::{Retried, State as DeliveryState},
        log::{Asked, Cancelled, Logged},
    },
};

/// Attempts a delivery is shown with.
const ATTEMPTS: i64 = 100;
const MOST: i64 = 500;

/// One event on its way to one endpoint.
#[derive(Serialize, ToSchema)]
pub struct DeliveryRecord {
    /// The `webhook-id` at every attempt.
    id: String,
    account_id: String,
    /// `null`: it tells the account of something that happened to it.
    subscription_id: Option<String>,
    registration_id: Option<String>,
    /// `webhook`, `ping` or `operational`.
    kind: String,
    #[schema(value_type = String)]
    event: Box<RawValue>,
    endpoint: String,
    /// `waiting`, `delivered`, `failed`, `cancelled` or `held`.
    status: &'static str,
    /// Whether it is being sent just now.
    in_flight: bool,
    /// Attempts ever made.
    attempts_made: i64,
    /// Attempts that its schedule has.
    attempts_max: usize,
    /// HTTP status of the last attempt.
    response_status: Option<i64>,
    /// One word on the last attempt: `status`, `timeout`, `refused` …
    reason: Option<String>,
    next_attempt_at: Option<String>,
    created_at: String,
    updated_at: String,
}

impl DeliveryRecord {
    pub fn of(app: &App, stored: &Logged) -> Self {
        let attempts_max =
            stored.standing.profile.attempts(stored.standing.once, app.settings.retry_schedule.attempts());
        Self {
            id: stored.id.clone(),
            account_id: stored.account_id.clone(),
            subscription_id: stored.subscription_id.clone(),
            registration_id: stored.registration_id.clone().filter(|id| !id.is_empty()),
            kind: stored.kind.clone(),
            event: raw(&stored.event),
            endpoint: stored.url.clone(),
            status: stored.standing.state.as_str(),
            in_flight: stored.standing.in_flight,
            attempts_made: stored.standing.attempts,
            attempts_max,
            response_status: stored.standing.status,
            reason: stored.standing.reason.clone(),
            next_attempt_at: stored.standing.next_ms().map(rfc3339),
            created_at: rfc3339(stored.standing.created_ms),
            updated_at: rfc3339(stored.standing.updated_ms),
        }
    }
}

/// A delivery with its body and its newest attempts, oldest of them first.
#[derive(Serialize, ToSchema)]
pub struct DeliveryWhole {
    #[serde(flatten)]
    delivery: DeliveryRecord,
    /// What is sent, to the byte.
    body: String,
    attempts: Vec<Attempt>,
}

#[derive(Serialize, ToSchema)]
pub struct DeliveryPage {
    deliveries: Vec<DeliveryRecord>,
    /// The `cursor` of the next page; `null` on the last one.
    next: Option<String>,
}

/// The query of the list, for its description.
#[derive(IntoParams)]
#[expect(dead_code, reason = "it describes the query, which is read parameter by parameter")]
pub struct Query {
    /// `waiting`, `delivered`, `failed`, `cancelled` or `held`.
    status: Option<String>,
    subscription: Option<String>,
    /// The event's name; `*` stands for any run of characters.
    event: Option<String>,
    /// The whole URL.
    endpoint: Option<String>,
    /// RFC 3339, or seconds since 1970; `until` the same.
    since: Option<String>,
    until: Option<String>,
    /// A part of the body, the URL, the event's name or the reason.
    q: Option<String>,
    /// Administrators only: one account's.
    account: Option<String>,
    /// 1 to 500; 50 unless told.
    limit: Option<i64>,
    /// `next` of the page before.
    cursor: Option<String>,
}

const PARAMETERS: [&str; 10] =
    ["status", "subscription", "event", "endpoint", "since", "until", "q", "account", "limit", "cursor"];

/// Deliveries to your endpoint, the newest first; an administrator sees everybody's.
#[utoipa::path(get, path = "/v1/webhook/deliveries", tag = "delivery log", params(Query), responses((status = 200, body = DeliveryPage)))]
pub async fn list(State(app): State<App>, uri: Uri, headers: HeaderMap) -> Answer {
    let caller = caller::known(&app, &headers).await?;
    let asked = asked(&uri, &caller)?;
    let (found, next) = app.store.search(&asked).await?;
    let deliveries = found.iter().map(|stored| DeliveryRecord::of(&app, stored)).collect();
    Ok(json(StatusCode::OK, &DeliveryPage { deliveries, next }))
}

fn asked(uri: &Uri, caller: &Account) -> Result<Asked, Refusal> {
    let pairs: Vec<(String, String)> =
        url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned().collect();
    if let Some((unknown, _)) = pairs.iter().find(|(name, _)| !PARAMETERS.contains(&name.as_str())) {
        return Err(Refusal::bad(format!(
            "{unknown}: there is no such parameter; there are {}",
            PARAMETERS.join(", ")
        )));
    }
    let get = |name: &str| {
        pairs.iter().find(|(key, value)| key == name && !value.trim().is_empty()).map(|(_, value)| value.clone())
    };
    let time = |name: &str| get(name).map(|value| time(name, &value)).transpose();
    Ok(Asked {
        account: if caller.is_admin { get("account") } else { Some(caller.id.clone()) },
        subscription: get("subscription"),
        state: get("status").map(|status| state(&status)).transpose()?,
        event: get("event").map(|event| canonical::quoted(&event)),
        endpoint: get("endpoint"),
        since_ms: time("since")?,
        until_ms: time("until")?,
        text: get("q"),
        cursor: get("cursor"),
        limit: get("limit").map_or(Ok(50), |limit| limit_of(&limit))?,
    })
}

fn state(status: &str) -> Result<DeliveryState, Refusal> {
    let known = DeliveryState::ALL.into_iter().find(|known| known.as_str() == status);
    known.ok_or_else(|| Refusal::bad("status: write waiting, delivered, failed, cancelled or held"))
}

fn limit_of(text: &str) -> Result<i64, Refusal> {
    let limit = text.parse().ok().filter(|limit| (1..=MOST).contains(limit));
    limit.ok_or_else(|| Refusal::bad(format!("limit: write a number between 1 and {MOST}")))
}

/// Milliseconds of a time that is written as RFC 3339, or in seconds since 1970.
pub fn time(name: &str, text: &str) -> Result<i64, Refusal> {
    let seconds = text.parse::<f64>().ok().and_then(|seconds| std::time::Duration::try_from_secs_f64(seconds).ok());
    let from_seconds = seconds.and_then(|time| i64::try_from(time.as_millis()).ok());
    let at_ms = from_seconds.or_else(|| text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond));
    at_ms.ok_or_else(|| Refusal::bad(format!("{name}: write 2026-11-24T08:00:00Z, or seconds since 1970")))
}

/// One delivery with its body and every attempt.
#[utoipa::path(get, path = "/v1/webhook/deliveries/{id}", tag = "delivery log", params(("id" = String, Path)),
    responses((status = 200, body = DeliveryWhole), (status = 404, description = "`{\"Error\": …}`")))]
pub async fn show(State(app): State<App>, Named(id): Named, headers: HeaderMap) -> Answer {
    let stored = own(&app, &headers, &id).await?;
    whole(&app, StatusCode::OK, &stored).await
}

/// The delivery with its attempts as a body.
pub async fn whole(app: &App, status: StatusCode, stored: &Logged) -> Answer {
    let attempts = app.store.attempts(&stored.id, ATTEMPTS).await?;
    let delivery = DeliveryRecord::of(app, stored);
    let attempts = attempts.into_iter().map(Attempt::of).collect();
    Ok(json(status, &DeliveryWhole { delivery, body: stored.body.clone(), attempts }))
}

/// Send one again at once, with a fresh schedule.
#[utoipa::path(post, path = "/v1/webhook/deliveries/{id}/retry", tag = "delivery log", params(("id" = String, Path)),
    responses((status = 202, body = DeliveryRecord), (status = 409, description = "`{\"Error\": …}`: delivered already, or being sent just now")))]
pub async fn retry(State(app): State<App>, Named(id): Named, headers: HeaderMap) -> Answer {
    let stored = own(&app, &headers, &id).await?;
    let conflict = |text: &str| Err(Refusal::new(StatusCode::CONFLICT, text));
    match app.store.retry_delivery(&id, now_ms()).await? {
        Retried::Queued => {}
        Retried::InFlight => return conflict("It is being sent just now; wait for the answer"),
        Retried::DeliveredAlready => return conflict("It was delivered already"),
        Retried::Unknown => return Err(none()),
    }
    changed(&app, &stored).await
}

/// Take one out of the queue.
#[utoipa::path(post, path = "/v1/webhook/deliveries/{id}/cancel", tag = "delivery log", params(("id" = String, Path)),
    responses((status = 202, body = DeliveryRecord, description = "Cancelled; when `in_flight`, it is not sent again"), (status = 409, description = "`{\"Error\": …}`: it has ended already")))]
pub async fn cancel(State(app): State<App>, Named(id): Named, headers: HeaderMap) -> Answer {
    let stored = own(&app, &headers, &id).await?;
    if app.store.cancel_delivery(&id, now_ms()).await? == Cancelled::Ended {
        return Err(Refusal::new(StatusCode::CONFLICT, format!("It is {} already", stored.standing.state.as_str())));
    }
    changed(&app, &stored).await
}

/// Wakes who is concerned, and answers with how it is now.
async fn changed(app: &App, stored: &Logged) -> Answer {
    app.queued();
    app.moved(&[format!("account:{}", stored.account_id)]);
    let now = app.store.logged(&stored.id).await?.ok_or_else(none)?;
    Ok(json(StatusCode::ACCEPTED, &DeliveryRecord::of(app, &now)))
}

/// The delivery, when the caller may see it.
async fn own(app: &App, headers: &HeaderMap, id: &str) -> Result<Logged, Refusal> {
    let caller = caller::known(app, headers).await?;
    let found = app.store.logged(id).await?;
    found.filter(|found| caller.is_admin || found.account_id == caller.id).ok_or_else(none)
}

fn none() -> Refusal {
    Refusal::missing("There is no such delivery of yours")
}
