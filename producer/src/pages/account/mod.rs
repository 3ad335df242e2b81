//! The pages of the webhook service. They stand beside the gate: an account signs in with its own key, whoever has the admin password.

mod admin;
mod deliveries;
mod delivery;
mod home;
mod live;
mod options;
mod said;
mod session;
mod sign;
mod spark;
mod subscription;
mod subscriptions;
mod webhook;
mod webhooks;
pub mod words;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use common::fields::FORM_LIMIT;

use crate::App;

/// Every page and form of them on one screen.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/account/login", get(sign::show).post(sign::enter))
        .route("/account/logout", post(sign::leave))
        .route("/account/new", get(sign::new).post(sign::create))
        .route("/account", get(home::show))
        .route("/account/endpoint", post(home::set_endpoint))
        .route("/account/enable", post(home::enable))
        .route("/account/operational", post(home::set_operational))
        .route("/account/secret", post(home::rotate_secret))
        .route("/account/key", post(home::rotate_key))
        .route("/account/delete", post(home::delete))
        .route("/account/webhooks", get(webhooks::list).post(webhooks::create))
        .route("/account/webhooks/{id}", get(webhook::show))
        .route("/account/webhooks/{id}/trigger", post(webhook::fire))
        .route("/account/webhooks/{id}/describe", post(webhook::describe))
        .route("/account/webhooks/{id}/delete", post(webhook::delete))
        .route("/account/subscriptions", get(subscriptions::list).post(subscriptions::create))
        .route("/account/subscriptions/{id}", get(subscription::show))
        .route("/account/subscriptions/{id}/options", post(subscription::change))
        .route("/account/subscriptions/{id}/ping", post(subscription::ping))
        .route("/account/subscriptions/{id}/recover", post(subscription::recover))
        .route("/account/subscriptions/{id}/delete", post(subscription::delete))
        .route("/account/deliveries", get(deliveries::list))
        .route("/account/deliveries/{id}", get(delivery::show))
        .route("/account/deliveries/{id}/retry", post(delivery::retry))
        .route("/account/deliveries/{id}/cancel", post(delivery::cancel))
        .route("/account/events", get(live::follow))
        .route("/account/admin", get(admin::show))
        .route("/account/admin/{id}/delete", post(admin::delete))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
}
