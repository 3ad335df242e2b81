//! The pages of actions: what event ids do and on which devices, who may call them, what became of it, and the audit.

mod audit;
mod dry;
mod edit;
mod event;
mod executions;
mod head;
mod key;
mod keys;
mod kinds;
mod link;
mod list;
mod live;
mod states;
mod target;
pub mod typed;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::{HeaderValue, header},
    response::Response,
    routing::{get, post},
};
use common::fields::FORM_LIMIT;

use crate::App;

/// Every page and form of them on one screen.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/actions", get(list::show))
        .route("/actions/new", get(edit::new).post(edit::create))
        .route("/actions/keys", get(keys::list))
        .route("/actions/keys/new", get(key::new).post(key::create))
        .route("/actions/keys/{id}", get(keys::show).post(key::change))
        .route("/actions/keys/{id}/reveal", post(keys::reveal))
        .route("/actions/keys/{id}/delete", post(keys::delete))
        .route("/actions/event", get(event::show))
        .route("/actions/event/link", post(link::make))
        .route("/actions/event/test", post(event::test))
        .route("/actions/executions", get(executions::list))
        .route("/actions/executions/{id}", get(executions::show))
        .route("/actions/audit", get(audit::show))
        .route("/actions/audit.csv", get(audit::csv))
        .route("/actions/moved", get(live::follow))
        .route("/actions/{id}", get(edit::show).post(edit::change))
        .route("/actions/{id}/move", post(list::shift))
        .route("/actions/{id}/delete", post(edit::delete))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
}

/// A page with a secret in it, which nobody is to keep.
fn kept_by_nobody(mut page: Response) -> Response {
    page.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    page
}

/// `/path?name=value&…`, without what is empty.
fn address(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs.iter().filter(|(_, value)| !value.is_empty()));
    let query = query.finish();
    if query.is_empty() { path.to_owned() } else { format!("{path}?{query}") }
}
