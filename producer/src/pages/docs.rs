//! `GET /docs`: the description of the API as a page to read and to try, by Swagger UI, with nothing loaded from elsewhere.

use askama::Template;
use axum::{Router, response::Html, routing::get};
use common::problem::Problem;

#[derive(Template)]
#[template(path = "docs.html")]
struct Docs;

/// Open to everybody, as `/openapi.json` is.
pub fn route<S: Clone + Send + Sync + 'static>() -> Router<S> {
    Router::new().route("/docs", get(show))
}

async fn show() -> Result<Html<String>, Problem> {
    Docs.render().map(Html).map_err(|error| Problem::internal(&error))
}
