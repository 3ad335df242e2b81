//! One subscription: how it does, its options, a test event, recovering what failed, and how to verify what it sends.

use askama::Template;
use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use common::{
    page::{self, Stamp, plural},
    problem::Problem,
    time::now_ms,
};
use serde::Deserialize;

use super::{
    super::choice::{Choice, choices},
    options::Typed,
    said::after,
    session::{Head, Posted, Session},
    spark::Spark,
    subscriptions::named,
    words::{SPANS, plain, problem, since_ms},
};
use crate::{
    App,
    extract::{Id, Params},
    service::ping,
    snippets::{self, Snippet},
    store::subscriptions::Subscription,
};

#[derive(Deserialize)]
pub struct Asked {
    /// The span whose failures are to be counted, of `SPANS`.
    recover: Option<String>,
}

/// What a recovery would send again.
struct Recovery {
    span: String,
    since_ms: i64,
    words: String,
    count: i64,
}

#[derive(Template)]
#[template(path = "account_subscription.html")]
struct SubscriptionPage {
    head: Head,
    id: String,
    webhook: String,
    event: String,
    owner: String,
    endpoint: String,
    created: Stamp,
    spark: Spark,
    typed: Typed,
    error: Option<String>,
    spans: Vec<Choice>,
    recovery: Option<Recovery>,
    snippets: &'static [Snippet],
}

/// `GET /account/subscriptions/{id}`; with `recover` it counts what would be sent again.
pub async fn show(
    State(app): State<App>,
    session: Session,
    Id(id): Id,
    Params(asked): Params<Asked>,
) -> Result<Response, Problem> {
    let subscription = own(&app, &session, &id).await?;
    let recovery = match asked.recover {
        Some(span) => Some(counted(&app, &id, span).await?),
        None => None,
    };
    let typed = Typed::of(&subscription.options);
    whole(&app, &session, &subscription, (typed, None, recovery)).await
}

async fn counted(app: &App, id: &str, span: String) -> Result<Recovery, Problem> {
    let since_ms = since_ms(&span, now_ms()).unwrap_or(0);
    let count = app.store.recoverable(id, since_ms).await?;
    Ok(Recovery { span, since_ms, words: plural(count, "failed event"), count })
}

async fn whole(
    app: &App,
    session: &Session,
    subscription: &Subscription,
    (typed, error, recovery): (Typed, Option<String>, Option<Recovery>),
) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let offer = app.store.offer(&subscription.account_id, &subscription.registration_id).await?;
    let account = app.store.account(&subscription.account_id).await?;
    let (event, owner) = named(offer.as_ref());
    Ok(page::render(&SubscriptionPage {
        head: session.head(now_ms),
        id: subscription.id.clone(),
        webhook: subscription.registration_id.clone(),
        event,
        owner,
        endpoint: account.map_or_else(|| "deleted account".into(), |account| plain(&account.endpoint)),
        created: Stamp::of(subscription.created_us / 1000, now_ms),
        spark: Spark::of(&app.store.recent(&subscription.id).await?),
        typed,
        error,
        spans: choices(&SPANS, recovery.as_ref().map_or("24h", |recovery| &recovery.span)),
        recovery,
        snippets: &snippets::ALL,
    }))
}

/// `POST /account/subscriptions/{id}/options`; what is refused comes back as it was typed.
pub async fn change(State(app): State<App>, Id(id): Id, posted: Posted) -> Result<Response, Problem> {
    let subscription = own(&app, &posted.session, &id).await?;
    let typed = Typed::read(&posted.fields);
    match typed.options() {
        Ok(options) => {
            app.store.set_options(&id, &options).await?;
            app.queued();
            Ok(after(&page_of(&id), "options", 0))
        }
        Err(error) => {
            let page = whole(&app, &posted.session, &subscription, (typed, Some(error), None)).await?;
            Ok((StatusCode::BAD_REQUEST, page).into_response())
        }
    }
}

/// `POST /account/subscriptions/{id}/ping`: leads to the delivery of a test event.
pub async fn ping(State(app): State<App>, Id(id): Id, posted: Posted) -> Result<Response, Problem> {
    let subscription = own(&app, &posted.session, &id).await?;
    let pinged = ping::ping(&app, &subscription, None).await.map_err(problem)?;
    Ok(axum::response::Redirect::to(&format!("/account/deliveries/{}", pinged.id)).into_response())
}

/// `POST /account/subscriptions/{id}/recover`: what failed since the time that was counted from.
pub async fn recover(State(app): State<App>, Id(id): Id, posted: Posted) -> Result<Response, Problem> {
    own(&app, &posted.session, &id).await?;
    let since_ms = posted.fields.get("since_ms").parse();
    let since_ms = since_ms.map_err(|_| Problem::bad_request("Count first what is to be sent again."))?;
    let recovered = app.store.recover(&id, since_ms, now_ms()).await?;
    app.queued();
    Ok(after(&page_of(&id), "recovered", i64::try_from(recovered).unwrap_or(i64::MAX)))
}

/// `POST /account/subscriptions/{id}/delete`.
pub async fn delete(State(app): State<App>, Id(id): Id, posted: Posted) -> Result<Response, Problem> {
    own(&app, &posted.session, &id).await?;
    app.store.delete_subscription(&id, now_ms()).await?;
    Ok(after("/account/subscriptions", "unsubscribed", 0))
}

fn page_of(id: &str) -> String {
    format!("/account/subscriptions/{id}")
}

async fn own(app: &App, session: &Session, id: &str) -> Result<Subscription, Problem> {
    let found = app.store.subscription(id).await?.filter(|found| session.may_see(&found.account_id));
    found.ok_or_else(|| Problem::not_found("such subscription of yours"))
}
