//! The pages of devices that obey: who asks to be paired, who is there and shows what, and what each is to show or to do.

mod act;
mod back;
mod editor;
mod list;
mod live;
mod new;
mod row;
mod show;
mod tell;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderMap, header},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use common::fields::FORM_LIMIT;
use serde::Deserialize;
use uuid::Uuid;

use crate::App;

/// Every page and form of them on one screen.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/screens", get(list::show))
        .route("/screens-moved", get(live::follow))
        .route("/new-device", get(new::show).post(new::make))
        .route("/screens/pairings/{code}/accept", post(act::accept))
        .route("/screens/pairings/{code}/refuse", post(act::refuse))
        .route("/screens/{id}", get(show::show))
        .route("/screens/{id}/content", get(show::show).post(show::change))
        .route("/screens/{id}/tell", post(tell::tell))
        .route("/screens/{id}/place", post(act::place))
        .route("/screens/{id}/forget", post(act::forget))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
}

/// What stands in the query after a form.
#[derive(Default, Deserialize)]
pub struct Said {
    said: Option<String>,
    /// What came of it is there.
    execution: Option<Uuid>,
}

impl Said {
    /// The words for what the query names; nothing else of it is shown.
    fn words(&self) -> Option<&'static str> {
        Some(match self.said.as_deref()? {
            "accepted" => "Paired. The screen is there in a moment.",
            "refused" => "Refused. It may ask again in ten minutes.",
            "told" if self.execution.is_some() => "Told.",
            "told" => "Told. What becomes of it stands below the commands.",
            "placed" => "Saved. The device comes back with its new groups and tags.",
            "kept" => "Saved. The screen reads it now, or when it comes back.",
            "forgotten" => "Forgotten. Its key is good no longer.",
            _ => return None,
        })
    }

    /// Where it stands what became of what was told.
    fn link(&self) -> Option<String> {
        self.execution.map(|id| format!("/actions/executions/{id}"))
    }
}

/// Leads to the page, which says what was done.
fn after(path: &str, code: &str) -> Response {
    Redirect::to(&format!("{path}?said={code}")).into_response()
}

/// Where a screen is to be opened: the address that this page was asked at.
fn address(headers: &HeaderMap) -> String {
    let intake = super::intake(headers);
    format!("{}/screen/", intake.trim_end_matches("/consumetasks"))
}

/// Names that were typed with commas between them.
fn names(typed: &str) -> Vec<String> {
    typed.split(',').map(str::trim).filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

/// Whether the answer is to be kept by nobody.
fn no_store(mut answer: Response) -> Response {
    answer.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    answer
}
