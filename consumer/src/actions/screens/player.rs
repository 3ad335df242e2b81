//! `/screen/{name}`: the page that makes any browser a screen. It has no key of its own: its script makes one, which the operator accepts.

use askama::Template;
use axum::{
    Router,
    extract::Path,
    http::header,
    response::{IntoResponse, Response},
    routing::get,
};
use common::{page, problem::Problem};

use super::super::targets::name_of;
use crate::App;

/// A screen shows other people's pages and images; they may be anywhere, and nothing else may.
const POLICY: &str = "default-src 'self'; img-src * data:; frame-src *; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

#[derive(Template)]
#[template(path = "player.html")]
struct Player {
    name: String,
}

/// The route; it stands beside the gate.
pub fn routes() -> Router<App> {
    Router::new().route("/screen/{name}", get(show))
}

/// The player for the screen that is called so; 400 for a name that no device can have.
async fn show(Path(name): Path<String>) -> Result<Response, Problem> {
    let name = name_of("The name of a screen", &name).map_err(Problem::bad_request)?;
    let headers = [(header::CONTENT_SECURITY_POLICY, POLICY), (header::CACHE_CONTROL, "no-store")];
    Ok((headers, page::render(&Player { name })).into_response())
}
