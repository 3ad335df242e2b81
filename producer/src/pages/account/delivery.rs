//! One delivery with every attempt: what was sent, what was answered, why, and what comes next.

use askama::Template;
use axum::{extract::State, response::Response};
use common::{
    page::{self, Stamp},
    problem::Problem,
    time::now_ms,
};

use super::{
    super::{
        attempt::{AttemptRow, SHOWN},
        standing::{Pill, pill},
        tail,
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
        deliveries::{Retried, State as DeliveryState},
        log::{Cancelled, Logged},
    },
};

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
    let attempts = app.store.attempts(&id, SHOWN).await?;
    Ok(page::render(&DeliveryPage {
        head: session.head(now_ms),
        short: tail(&stored.id),
        pill: pill(&stored.standing, now_ms),
        event: plain(&stored.event),
        kind: kind(&stored),
        account: session.account.is_admin.then(|| stored.account_id.clone()),
        subscription: stored.subscription_id.clone(),
        tries: tries(&app, &stored),
        created: Stamp::of(stored.standing.created_ms, now_ms),
        next: stored.standing.next_ms().map(|next_ms| Stamp::of(next_ms, now_ms).absolute),
        can_retry: stored.standing.can_retry(),
        can_cancel: matches!(stored.standing.state, DeliveryState::Waiting | DeliveryState::Held),
        attempts: AttemptRow::all(attempts, now_ms),
        id: stored.id,
        url: stored.url,
        body: stored.body,
    }))
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
        return Err(Problem::conflict(format!("It is {} already.", stored.standing.state.as_str())));
    }
    Ok(changed(&app, &stored, "cancelled"))
}

/// Wakes who is concerned, and leads back to the delivery.
fn changed(app: &App, stored: &Logged, code: &str) -> Response {
    app.queued();
    app.moved(&[format!("account:{}", stored.account_id)]);
    after(&format!("/account/deliveries/{}", stored.id), code, 0)
}

async fn own(app: &App, session: &Session, id: &str) -> Result<Logged, Problem> {
    let found = app.store.logged(id).await?.filter(|found| session.may_see(&found.account_id));
    found.ok_or_else(none)
}

fn none() -> Problem {
    Problem::not_found("such delivery of yours")
}
