//! The pages of sources: who may send what to which address, what to paste where, what was turned away, and what events mean.

mod edit;
mod kinds;
mod list;
mod live;
mod paste;
mod refused;
mod rules;
mod said;
mod show;
mod tried;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    routing::{get, post},
};
use common::fields::FORM_LIMIT;

use crate::App;

/// Every page and form of them on one screen.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/sources", get(list::show))
        // Beside the names, which may be any word.
        .route("/sources-moved", get(live::follow))
        .route("/new-source", get(edit::new).post(edit::create))
        .route("/sources/{name}", get(show::show))
        .route("/sources/{name}/edit", get(edit::show).post(edit::change))
        .route("/sources/{name}/reveal", post(show::reveal))
        .route("/sources/{name}/rotate", post(show::rotate))
        .route("/sources/{name}/settle", post(show::settle))
        .route("/sources/{name}/remove", post(show::remove))
        .route("/sources/{name}/rules", get(rules::show).post(rules::change))
        .route("/sources/{name}/reread", post(rules::read_again))
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
}
