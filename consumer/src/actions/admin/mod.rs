//! The administrator's API of actions, behind the gate: `keys`, `definitions`, `devices`, and what happened in `executions` and `log`.

mod definitions;
mod devices;
mod executions;
mod keys;
mod log;
mod screens;

use axum::body::Bytes;
use common::problem::Problem;
use serde::de::DeserializeOwned;
use utoipa::OpenApi;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::administrator::Admin;
use crate::App;

#[derive(OpenApi)]
#[openapi(paths(super::public::call_by_post, super::public::call_by_link, super::public::show))]
struct Api;

/// Every route of it, and the document that describes them and the public ones.
pub fn routes_and_document() -> (axum::Router<App>, utoipa::openapi::OpenApi) {
    OpenApiRouter::with_openapi(Api::openapi())
        .routes(routes!(keys::list, keys::create))
        .routes(routes!(keys::reveal))
        .routes(routes!(keys::update, keys::delete))
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
