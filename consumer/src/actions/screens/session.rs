//! The session that lets a screen see the dashboard, and nothing else: a sealed cookie with the device and an end.

use axum::{
    extract::State,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::Response,
};
use common::{admin::cookie, problem::Problem, time::now_ms};

use super::{Screen, fresh};
use crate::{App, store::actions::devices};

const NAME: &str = "hookcast_screen";
const CONTEXT: &str = "session of a screen";
const LASTS_S: i64 = 3600;

/// `POST /screen-api/session`.
///
/// # Errors
/// When the cookie cannot be written.
pub async fn begin(State(app): State<App>, Screen(device): Screen) -> Result<Response, Problem> {
    let expires_s = now_ms() / 1000 + LASTS_S;
    let sealed = app.vault.seal(&format!("{expires_s}.{}", device.id), CONTEXT);
    let cookie = format!("{NAME}={sealed}; Path=/; HttpOnly; SameSite=Lax; Max-Age={LASTS_S}");
    let cookie = HeaderValue::try_from(cookie).map_err(|error| Problem::internal(&error))?;
    Ok(fresh((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)])))
}

/// Whether the request comes with a session of a screen that is still a device.
pub async fn is_good(app: &App, headers: &HeaderMap) -> bool {
    let Some(device) = cookie(headers, NAME).and_then(|sealed| device(app, sealed)) else { return false };
    // While the database does not answer, nobody is let in.
    devices::by_id(&app.db, &device).await.is_ok_and(|device| device.is_some())
}

fn device(app: &App, sealed: &str) -> Option<String> {
    let session = app.vault.open(sealed, CONTEXT)?;
    let (expires_s, device) = session.split_once('.')?;
    (expires_s.parse::<i64>().ok()? > now_ms() / 1000).then(|| device.to_owned())
}
