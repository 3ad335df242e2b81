//! One delivery with every attempt: what was sent, what was answered, why, and what comes next.

use askama::Template;
use axum::{extract::State, response::Response};
use common::{
    page::{self, Stamp, grouped},
    problem::Problem,
    time::now_ms,
};

use super::{
    super::{
        standing::{Pill, Standing},
        verdict,
    },
    deliveries::{kind, tries},
    said::after,
    session::{Head, Posted, Session},
    words::plain,
};
use crate::{
    App,
    extract::Id,
    store::{
        attempts::Attempt,
        deliveries::{Retried, State as DeliveryState},
        log::{Cancelled, Logged},
    },
};

/// Attempts a delivery is shown with.
const ATTEMPTS: i64 = 100;

struct AttemptRow {
    number: i64,
    at: Stamp,
    class: &'static str,
    symbol: &'static str,
    result: String,
    detail: String,
    took: String,
    request_headers: Vec<(String, String)>,
    response_headers: Vec<(String, String)>,
    response: String,
}

impl AttemptRow {
    fn of(attempt: Attempt, now_ms: i64) -> Self {
        let (class, symbol) = match attempt.outcome.as_str() {
            "delivered" => ("low", "✓"),
            "retrying" => ("major", "↻"),
            _ => ("critical", "✕"),
        };
        let pairs = |json: Option<String>| json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        Self {
            number: attempt.number,
            at: Stamp::of(attempt.at_ms, now_ms),
            class,
            symbol,
            result: verdict(attempt.status, attempt.reason.as_deref()),
            detail: attempt.detail.unwrap_or_default(),
            took: format!("{} ms", grouped(attempt.duration_ms)),
            request_headers: pairs(attempt.request_headers),
            response_headers: pairs(attempt.response_headers),
            response: attempt.response.unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(path = "account_delivery.html")]
struct DeliveryPage {
    head: Head,
    id: String,
    short: String,
    pill: Pill,
    event: String,
    kind: &'static str,
    url: String,
    account: Option<String>,
    subscription: Option<String>,
    tries: String,
    created: Stamp,
    /// When it is tried next, in UTC.
    next: Option<String>,
    can_retry: bool,
    can_cancel: bool,
    attempts: Vec<AttemptRow>,
    body: String,
}

/// `GET /account/deliveries/{id}`.
pub async fn show(State(app): State<App>, session: Session, Id(id): Id) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let stored = own(&app, &session, &id).await?;
    let attempts = app.store.attempts(&id, ATTEMPTS).await?;
    let waits = stored.state == DeliveryState::Waiting && !stored.in_flight;
    Ok(page::render(&DeliveryPage {
        head: session.head(now_ms),
        short: short(&stored.id),
        pill: Standing::from(&stored).pill(now_ms),
        event: plain(&stored.event),
        kind: kind(&stored),
        account: session.account.is_admin.then(|| stored.account_id.clone()),
        subscription: stored.subscription_id.clone(),
        tries: tries(&app, &stored),
        created: Stamp::of(stored.created_ms, now_ms),
        next: waits.then(|| Stamp::of(stored.due_ms, now_ms).absolute),
        can_retry: stored.state != DeliveryState::Delivered && !stored.in_flight,
        can_cancel: matches!(stored.state, DeliveryState::Waiting | DeliveryState::Held),
        attempts: attempts.into_iter().rev().map(|attempt| AttemptRow::of(attempt, now_ms)).collect(),
        id: stored.id,
        url: stored.url,
        body: stored.body,
    }))
}

/// The last characters of an id: the first ones are the time.
fn short(id: &str) -> String {
    id.get(id.len().saturating_sub(6)..).unwrap_or(id).to_owned()
}

/// `POST /account/deliveries/{id}/retry`.
pub async fn retry(State(app): State<App>, Id(id): Id, posted: Posted) -> Result<Response, Problem> {
    let stored = own(&app, &posted.session, &id).await?;
    match app.store.retry_delivery(&id, now_ms()).await? {
        Retried::Queued => Ok(changed(&app, &stored, "retried")),
        Retried::InFlight => Err(Problem::conflict("It is being sent just now; wait for the answer.")),
        Retried::DeliveredAlready => Err(Problem::conflict("It was delivered already.")),
        Retried::Unknown => Err(none()),
    }
}

/// `POST /account/deliveries/{id}/cancel`.
pub async fn cancel(State(app): State<App>, Id(id): Id, posted: Posted) -> Result<Response, Problem> {
    let stored = own(&app, &posted.session, &id).await?;
    if app.store.cancel_delivery(&id, now_ms()).await? == Cancelled::Ended {
        return Err(Problem::conflict(format!("It is {} already.", stored.state.as_str())));
    }
    Ok(changed(&app, &stored, "cancelled"))
}

/// Wakes who is concerned, and leads back to the delivery.
fn changed(app: &App, stored: &Logged, code: &str) -> Response {
    app.queued();
    app.moved(&format!("account:{}", stored.account_id));
    after(&format!("/account/deliveries/{}", stored.id), code, 0)
}

async fn own(app: &App, session: &Session, id: &str) -> Result<Logged, Problem> {
    let found = app.store.logged(id).await?.filter(|found| session.may_see(&found.account_id));
    found.ok_or_else(none)
}

fn none() -> Problem {
    Problem::not_found("such delivery of yours")
}
