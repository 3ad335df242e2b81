//! The administrator's API of actions, behind the gate: `keys`, `definitions`, `devices`, and what happened in `executions` and `log`.

mod definitions;
mod devices;
mod executions;
mod keys;
mod log;
mod screens;

use std::net::SocketAddr;

use axum::{
    body::Bytes,
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};
use common::{problem::Problem, time::now_ms};
use serde::de::DeserializeOwned;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    App,
    store::actions::audit::{self, Entry},
};

/// Devices that obey.
pub const MAX_DEVICES: i64 = 5000;
/// How long a command waits for a device that is away.
pub const DEFAULT_TTL_MS: i64 = 120_000;
pub const MAX_TTL_MS: i64 = 7 * 24 * 3600 * 1000;

#[derive(OpenApi)]
#[openapi(paths(super::public::call_by_post, super::public::call_by_link, super::public::show))]
struct Api;

/// Every route of it, and the document that describes them and the public ones.
pub fn routes_and_document() -> (axum::Router<App>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::reveal))
        .routes(routes!(keys::delete))
        .routes(routes!(definitions::list, definitions::create))
        .routes(routes!(definitions::update, definitions::delete))
        .routes(routes!(devices::list, devices::create))
        .routes(routes!(devices::update, devices::delete))
        .routes(routes!(screens::list))
        .routes(routes!(screens::accept))
        .routes(routes!(screens::refuse))
        .routes(routes!(screens::content, screens::change))
        .routes(routes!(screens::command))
        .routes(routes!(executions::list))
        .routes(routes!(executions::show))
        .routes(routes!(log::list))
        .routes(routes!(log::csv))
        .split_for_parts()
}

/// The administrator, by where they are.
pub struct Admin(String);

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(peer.map(|ConnectInfo(peer)| peer.ip().to_canonical().to_string()).unwrap_or_default()))
    }
}

impl Admin {
    /// Where they are.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.0
    }

    /// Puts into the audit what was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn did(&self, app: &App, what: &str, subject: &str, detail: &str) -> Result<(), Problem> {
        let entry = Entry {
            at_ms: now_ms(),
            who: "admin".into(),
            from: self.0.clone(),
            what: what.into(),
            subject: subject.into(),
            status: 200,
            detail: detail.into(),
            execution: String::new(),
        };
        Ok(audit::add(&app.db, entry).await?)
    }
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body)
        .map_err(|error| Problem::bad_request(format!("The request is not as it should be: {error}.")))
}

/// 400 that names what is wrong.
fn wrong(error: impl std::fmt::Display) -> Problem {
    Problem::bad_request(format!("{error}."))
}

/// 1 to `max`, else the default.
fn limit(asked: Option<i64>, (default, max): (i64, i64)) -> Result<i64, Problem> {
    let limit = asked.unwrap_or(default);
    let wrong = || Problem::bad_request(format!("limit is 1 to {max}.")).with("parameter", "limit");
    (1..=max).contains(&limit).then_some(limit).ok_or_else(wrong)
}
