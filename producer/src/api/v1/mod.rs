//! Every `/v1` route of the accounts API on one screen. It keeps the wire contract of `PyWebhooks` 0.5.5; what is ours alone is marked.

mod accounts;
mod body;
mod caller;
mod deliveries;
pub mod gate;
mod health;
mod keys;
mod options;
mod paging;
mod registrations;
mod subscriptions;
mod triggers;
mod wire;

use axum::{
    Router,
    body::Body,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware,
    routing::{get, patch, post},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::App;

/// What is registered may be this long.
const BODY_LIMIT: usize = 1024 * 1024;

/// The routes, behind the gate that every request of this API passes, and what they say of themselves.
pub fn routes(app: &App) -> (Router, utoipa::openapi::OpenApi) {
    let (routes, document) = OpenApiRouter::new()
        .routes(routes!(accounts::create, accounts::change))
        .routes(routes!(accounts::show, accounts::delete))
        .routes(routes!(accounts::list, accounts::delete_all))
        .routes(routes!(keys::reset_api_key))
        .routes(routes!(keys::reset_secret_key))
        .routes(routes!(registrations::create, registrations::list_own))
        .routes(routes!(registrations::show, registrations::change, registrations::delete))
        .routes(routes!(registrations::list, registrations::delete_all))
        .routes(routes!(subscriptions::list_own))
        .routes(routes!(subscriptions::create, subscriptions::show, subscriptions::delete))
        .routes(routes!(subscriptions::list, subscriptions::delete_all))
        .routes(routes!(triggers::list))
        .routes(routes!(triggers::create, triggers::show))
        // Ours alone.
        .routes(routes!(health::show))
        .routes(routes!(health::enable))
        .routes(routes!(health::set_operational))
        .routes(routes!(health::rotate))
        .routes(routes!(options::show, options::change))
        .routes(routes!(options::ping))
        .routes(routes!(options::recover))
        .routes(routes!(deliveries::list))
        .routes(routes!(deliveries::show))
        .routes(routes!(deliveries::retry))
        .routes(routes!(deliveries::cancel))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .split_for_parts();
    let routes = routes
        // What is only there to say what is wrong.
        .route("/v1/account", get(accounts::no_id).delete(accounts::no_id))
        .route("/v1/account/{id}", post(accounts::takes_no_id).patch(accounts::takes_no_id))
        .route("/v1/webhook/registration", patch(registrations::no_id).delete(registrations::no_id))
        .route("/v1/webhook/registration/{id}", post(registrations::takes_no_id))
        .route("/v1/webhook/subscription", post(subscriptions::no_id).delete(subscriptions::no_id))
        .route("/v1/webhook/triggered", post(triggers::no_id))
        .fallback(async || StatusCode::NOT_FOUND)
        .method_not_allowed_fallback(async || StatusCode::METHOD_NOT_ALLOWED)
        .with_state(app.clone())
        .into_service::<Body>();
    // The gate stands outside of the whole router: it sees every path, and every `Allow`.
    let gated = Router::new()
        .route_service("/v1/{*path}", routes)
        .layer(middleware::from_fn_with_state(app.clone(), gate::pass));
    (gated, document)
}

#[cfg(test)]
mod fuzz;
