//! What its owner chooses for a subscription, a test event, and recovering what failed. Ours alone.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::State,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode},
};
use common::time::{now_ms, now_us};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json, value::RawValue};
use tokio::time::timeout;
use utoipa::ToSchema;

use super::{
    body::{Members, Named},
    caller, deliveries,
    registrations::LONGEST_DATA,
    wire::{Answer, Refusal, json as answer, raw},
};
use crate::{
    App,
    filter::Filter,
    store::subscriptions::{Options, Profile, Subscription},
    store::triggered::{NewEvent, Triggered},
};

const FASTEST_PER_MINUTE: i64 = 600_000;
const MOST_HEADERS: usize = 20;
const LONGEST_HEADER: usize = 1024;
/// So long a test event's attempt is waited for.
const PING_PATIENCE: Duration = Duration::from_secs(8);
/// What every delivery says itself.
const OURS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "event",
    "host",
    "transfer-encoding",
    "user-agent",
];

/// The options of a subscription; in a change, what is left out stays.
#[derive(Serialize, ToSchema)]
pub struct OptionsRecord {
    /// `pywebhooks`: four attempts, `DEFAULT_RETRY` apart, only 200 with a JSON body is success. `standard`: the engine's schedule, any 2xx is success.
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
            profile: if options.profile == Profile::Standard { "standard" } else { "pywebhooks" },
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
    let options = changes.into_iter().try_fold(subscription.options, changed)?;
    app.store.set_options(&id, &options).await?;
    app.queued();
    Ok(answer(StatusCode::OK, &OptionsRecord::of(&options)))
}

/// The options with one of them set.
pub fn changed(options: Options, (name, value): (String, Value)) -> Result<Options, Refusal> {
    let bad = |how: &str| Refusal::bad(format!("{name}: {how}"));
    Ok(match (name.as_str(), &value) {
        ("profile", Value::Null) => Options { profile: Profile::PyWebhooks, ..options },
        ("profile", value) => {
            let profile = match value.as_str() {
                Some("pywebhooks") => Profile::PyWebhooks,
                Some("standard") => Profile::Standard,
                _ => return Err(bad("write pywebhooks or standard")),
            };
            Options { profile, ..options }
        }
        ("fifo", value) => {
            let fifo = if value.is_null() { Some(false) } else { value.as_bool() };
            Options { fifo: fifo.ok_or_else(|| bad("write true or false"))?, ..options }
        }
        ("rate_per_minute", value) => {
            let rate = if value.is_null() { Some(0) } else { value.as_i64() };
            let rate = rate.filter(|rate| (0..=FASTEST_PER_MINUTE).contains(rate));
            let how = || bad(&format!("write a whole number from 0 (no limit) to {FASTEST_PER_MINUTE}"));
            Options { rate_per_minute: rate.ok_or_else(how)?, ..options }
        }
        ("filter", Value::Null) => Options { filter: None, ..options },
        ("filter", value) => {
            let text = value.to_string();
            Filter::parse(&text).map_err(|how| bad(&how))?;
            Options { filter: Some(text), ..options }
        }
        ("headers", Value::Null) => Options { headers: None, ..options },
        ("headers", value) => {
            check_headers(value).map_err(|how| bad(&how))?;
            Options { headers: Some(value.to_string()), ..options }
        }
        _ => return Err(bad("there is no such option; there are profile, fifo, rate_per_minute, filter and headers")),
    })
}

fn check_headers(value: &Value) -> Result<(), String> {
    let headers = value.as_object().ok_or("write an object, name to value")?;
    if headers.len() > MOST_HEADERS {
        return Err(format!("at most {MOST_HEADERS}"));
    }
    for (name, value) in headers {
        let read = name.parse::<HeaderName>().map_err(|_| format!("{name:?} cannot be the name of a header"))?;
        let is_ours = OURS.contains(&read.as_str())
            || read.as_str().starts_with("webhook-")
            || read.as_str().starts_with("pywebhooks-");
        if is_ours {
            return Err(format!("{name} is set by every delivery itself"));
        }
        let value =
            value.as_str().filter(|value| value.len() <= LONGEST_HEADER && HeaderValue::from_str(value).is_ok());
        value.ok_or_else(|| format!("{name}: write a text of at most {LONGEST_HEADER} plain characters"))?;
    }
    Ok(())
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
    let (event, data) = match (app.store.registration(&subscription.registration_id).await?, data) {
        (Some(registration), data) => (registration.event, data.unwrap_or(registration.event_data)),
        (None, data) => ("\"ping\"".into(), data.unwrap_or_else(|| "{\"message\": \"ping\"}".into())),
    };
    let subscriber = app.store.subscriber(&id).await?.ok_or_else(|| Refusal::missing("Endpoint not found"))?;
    let triggered =
        Triggered { id: String::new(), registration_id: subscription.registration_id, created_us: now_us() };
    let new = NewEvent {
        triggered,
        kind: "ping",
        event,
        body: data,
        idempotency: None,
        subscribers: vec![subscriber],
        max_failed_count: app.settings.max_failed_count,
        now_ms: now_ms(),
    };
    let delivery = app.store.ping(&new).await?.ok_or_else(none)?;
    attempted(&app, &delivery).await
}

/// Waits for the attempt, and answers with it.
async fn attempted(app: &App, delivery: &str) -> Answer {
    let mut moved = app.progress.follow(&format!("delivery:{delivery}"));
    app.queued();
    let ended = timeout(PING_PATIENCE, async {
        loop {
            moved.borrow_and_update();
            let stored = app.store.logged(delivery).await?.ok_or_else(none)?;
            if stored.attempts > 0 {
                return Ok::<_, Refusal>(stored);
            }
            // Another process may make the attempt.
            let _ = timeout(Duration::from_secs(1), moved.changed()).await;
        }
    });
    if let Ok(stored) = ended.await {
        return deliveries::whole(app, StatusCode::OK, &stored?).await;
    }
    let stored = app.store.logged(delivery).await?.ok_or_else(none)?;
    deliveries::whole(app, StatusCode::ACCEPTED, &stored).await
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
