//! The pages: produce, batches, deliveries. Plain forms and links; `static/ts/producer.ts` makes them live.

pub mod account;
mod attempt;
mod batch;
mod choice;
mod deliveries;
mod devices;
pub mod docs;
mod form;
mod produce;
mod standing;

use axum::{Router, middleware, routing::get};

use crate::App;

/// What the head of every page links to; `producer_layout.html` marks the one that is shown.
pub const SITES: common::edge::Sites = &[
    (
        "/account",
        &[
            ("Webhooks", "/account/webhooks"),
            ("Subscriptions", "/account/subscriptions"),
            ("Deliveries", "/account/deliveries"),
            ("Account", "/account"),
        ],
    ),
    ("/", &[("Produce", "/"), ("Batches", "/batches"), ("Deliveries", "/deliveries"), ("Devices", "/devices")]),
];

/// Adds the pages to `api`, and sends a browser's form that `api` refuses back as a page.
pub fn beside(api: Router<App>, app: &App) -> Router<App> {
    let again = middleware::from_fn_with_state(app.clone(), produce::again);
    api.layer(again)
        .route("/", get(produce::show))
        .route("/batches", get(produce::list))
        .route("/batches/{id}", get(produce::show_batch))
        .route("/deliveries", get(deliveries::list))
        .route("/deliveries/{id}", get(deliveries::show))
        .route("/devices", get(devices::list))
        .route("/devices/events", get(devices::follow))
}

/// Where the receiver's own pages are: the root of the address that tasks are posted to.
fn consumer_url(app: &App) -> String {
    app.settings.webhook_receiver_url.join("/").map_or_else(|_| "/".into(), String::from)
}

/// The first characters of an id, enough to tell it from its neighbours.
fn short(id: &str) -> String {
    id.chars().take(6).collect()
}

/// The last characters of an id that begins with the time.
fn tail(id: &str) -> String {
    id.get(id.len().saturating_sub(6)..).unwrap_or(id).to_owned()
}

/// What went wrong in one or two words, for what has no HTTP status.
fn reason(word: Option<&str>) -> &str {
    match word {
        Some("timeout") => "timed out",
        Some("dns") => "name not found",
        Some("tls") => "no secure connection",
        Some("unreachable") => "not reachable",
        Some("blocked") => "not allowed",
        Some(word) => word,
        None => "failed",
    }
}

/// `200`, or the reason in words.
fn verdict(status: Option<i64>, word: Option<&str>) -> String {
    status.map_or_else(|| reason(word).to_owned(), |status| status.to_string())
}
