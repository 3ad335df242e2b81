//! What an account is subscribed to, and how each does.

use askama::Template;
use axum::{extract::State, response::Response};
use common::{page, problem::Problem, time::now_ms};
use serde::Deserialize;

use super::{
    said::after,
    session::{Head, Posted, Session},
    spark::Spark,
    words::{Pager, plain, problem},
};
use crate::{
    App,
    extract::Params,
    service::webhooks,
    store::{
        offers::Offer,
        subscriptions::{Options, Profile, Subscription},
    },
};

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    start: i64,
}

struct Row {
    id: String,
    event: String,
    owner: String,
    options: Vec<String>,
    spark: Spark,
}

#[derive(Template)]
#[template(path = "account_subscriptions.html")]
struct SubscriptionsPage {
    head: Head,
    endpoint: String,
    rows: Vec<Row>,
    pager: Pager,
}

/// `GET /account/subscriptions`.
pub async fn list(State(app): State<App>, session: Session, Params(asked): Params<Asked>) -> Result<Response, Problem> {
    let start = asked.start.max(0);
    let mut subscriptions = app.store.newest_subscriptions(&session.account.id, start).await?;
    let pager = Pager::of(&mut subscriptions, start, |start| format!("/account/subscriptions?start={start}"));
    let mut rows = Vec::with_capacity(subscriptions.len());
    for subscription in &subscriptions {
        rows.push(row(&app, subscription).await?);
    }
    Ok(page::render(&SubscriptionsPage {
        head: session.head(now_ms()),
        endpoint: plain(&session.account.endpoint),
        rows,
        pager,
    }))
}

async fn row(app: &App, subscription: &Subscription) -> Result<Row, Problem> {
    let offer = app.store.offer(&subscription.account_id, &subscription.registration_id).await?;
    let (event, owner) = named(offer.as_ref());
    Ok(Row {
        id: subscription.id.clone(),
        event,
        owner,
        options: chosen(&subscription.options),
        spark: Spark::of(&app.store.recent(&subscription.id).await?),
    })
}

/// The event's name, and whose it is.
pub fn named(offer: Option<&Offer>) -> (String, String) {
    match offer {
        Some(offer) => (plain(&offer.event), offer.owner.as_deref().map_or_else(|| "deleted account".into(), plain)),
        None => ("deleted webhook".into(), String::new()),
    }
}

/// What differs from the default, in a word or two each.
fn chosen(options: &Options) -> Vec<String> {
    let mut chosen = Vec::new();
    let mut with = |is_set: bool, word: String| {
        if is_set {
            chosen.push(word);
        }
    };
    with(options.profile != Profile::PyWebhooks, "any 2xx".into());
    with(options.fifo, "in order".into());
    with(options.rate_per_minute > 0, format!("{} / min", page::grouped(options.rate_per_minute)));
    with(options.filter.is_some(), "filtered".into());
    with(options.headers.is_some(), "own headers".into());
    chosen
}

/// `POST /account/subscriptions`: subscribes to the registration that is named.
pub async fn create(State(app): State<App>, posted: Posted) -> Result<Response, Problem> {
    let subscribed = webhooks::subscribe(&app, &posted.session.account, posted.fields.get("webhook")).await;
    let subscription = subscribed.map_err(problem)?;
    Ok(after(&format!("/account/subscriptions/{}", subscription.id), "subscribed", 0))
}
