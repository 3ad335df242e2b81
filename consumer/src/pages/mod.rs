//! The pages: rendered here with real numbers, live through `/live`.

mod dashboard;
mod events;
mod plot;
mod row;

use axum::{
    Router,
    http::{HeaderMap, header},
    routing::get,
};

use crate::App;

/// What the head of every page links to; `consumer_layout.html` marks the one that is shown.
pub const SITES: common::edge::Sites = &[("/", &[("Dashboard", "/"), ("Events", "/events")])];

/// The routes of the pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(dashboard::show))
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::show))
}

/// A line for the shell that posts a task to the address this page was asked at.
fn curl(headers: &HeaderMap) -> String {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let plain = |host: &&str| host.chars().all(|sign| sign.is_ascii_alphanumeric() || ".:-[]".contains(sign));
    let host = text(header::HOST).filter(plain).unwrap_or("localhost:5001");
    let scheme = match text(header::HeaderName::from_static("x-forwarded-proto")) {
        Some("https") => "https",
        _ => "http",
    };
    format!(
        "curl {scheme}://{host}/consumetasks -H 'content-type: application/json' \
         -d '{{\"owner\":\"Norma Fisher\",\"priority\":\"Major\"}}'"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_for_the_shell_names_the_host_that_was_asked_and_nothing_else() {
        let asked = |host: &str| curl(&HeaderMap::from_iter([(header::HOST, host.parse().unwrap())]));
        assert!(asked("hooks.lan:8080").starts_with("curl http://hooks.lan:8080/consumetasks "));
        assert!(asked("x;rm -rf").starts_with("curl http://localhost:5001/consumetasks "));
    }
}
