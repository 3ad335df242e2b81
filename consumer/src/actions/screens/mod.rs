//! Screens: devices that are browsers with the player. One asks to be paired, the operator says yes, and from then on it brings its own key.

pub mod content;
pub mod datasources;
pub mod manage;
pub mod pairing;
pub mod player;
pub mod session;
pub mod showing;

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, FromRequestParts, State},
    http::{StatusCode, header, request::Parts},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use common::problem::Problem;
use serde_json::json;

use super::{doors, public::Peer};
use crate::{
    App,
    store::actions::{
        devices::{self, Device},
        screens,
    },
};
use content::Content;

const KEY_HEADER: &str = "x-device-key";
const MAX_KEY_BYTES: usize = 256;
/// What is asked here is short.
const MAX_BODY: usize = 4096;

/// The routes of screens; they stand beside the gate, as each request brings the screen's key.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/screen-api/pairing", post(pairing::ask))
        .route("/screen-api/content", get(show))
        .route("/screen-api/datasources/{name}", get(datasources::show))
        .route("/screen-api/session", post(session::begin))
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .merge(player::routes())
}

/// The device whose key the request brings.
pub struct Screen(pub Device);

impl FromRequestParts<App> for Screen {
    type Rejection = Problem;

    /// 401 without a good key, and 429 for an address that guessed too often.
    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Problem> {
        let Ok(Peer(peer)) = Peer::from_request_parts(parts, app).await;
        let key = parts.headers.get(KEY_HEADER).map(|key| String::from_utf8_lossy(key.as_bytes()).into_owned());
        let key =
            key.filter(|key| !key.is_empty()).ok_or_else(|| unpaired("Send the screen's key as x-device-key."))?;
        let known =
            if key.len() > MAX_KEY_BYTES { None } else { devices::by_hash(&app.db, &doors::hash(&key)).await? };
        if known.is_none() {
            app.doors.count_guess(peer)?;
        }
        known.map(Self).ok_or_else(|| unpaired("No device has this key (any more). Pair the screen again."))
    }
}

fn unpaired(detail: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, detail)
}

/// An answer that nobody keeps.
fn fresh(answer: impl IntoResponse) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], answer).into_response()
}

/// `GET /screen-api/content`.
async fn show(State(app): State<App>, Screen(device): Screen) -> Result<Response, Problem> {
    let stored = screens::content(&app.db, &device.id).await?.flatten();
    let content = Content::stored(stored.as_deref());
    Ok(fresh(Json(json!({
        "device": device.name,
        "groups": device.groups,
        "tags": device.tags,
        "version": content.version(),
        "content": content,
    }))))
}
