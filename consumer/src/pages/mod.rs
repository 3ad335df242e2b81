//! The pages: rendered here, live through `/live`.

use axum::Router;

use crate::App;

/// The routes of the pages.
pub fn routes() -> Router<App> {
    Router::new()
}
