//! The pages: produce, batches, deliveries.

use axum::Router;

use crate::App;

pub fn routes() -> Router<App> {
    Router::new()
}
