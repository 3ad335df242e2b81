//! The pages: rendered here with real numbers, live through `/live`.

mod actions;
mod dashboard;
mod device;
mod devices;
mod events;
mod kiosk;
mod line;
mod plot;
mod row;
mod screens;
mod sources;

use axum::{
    Router,
    http::{HeaderMap, header},
    routing::get,
};

use crate::App;

/// What the head of every page links to; `consumer_layout.html` marks the one that is shown.
pub const SITES: common::edge::Sites = &[(
    "/",
    &[
        ("Dashboard", "/"),
        ("Events", "/events"),
        ("Devices", "/devices"),
        ("Sources", "/sources"),
        ("Screens", "/screens"),
        ("Actions", "/actions"),
    ],
)];

/// The routes of the pages.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(dashboard::show))
        .route("/events", get(events::list))
        .route("/events/{id}", get(events::show))
        .route("/devices", get(devices::list))
        .route("/devices/events", get(devices::follow))
        .route("/devices/{id}", get(device::show))
        .merge(sources::routes())
        .merge(screens::routes())
        .merge(actions::routes())
}

/// The pages that stand beside the gate, as each looks itself who may see it.
pub fn open_routes() -> Router<App> {
    Router::new().route("/screen-dashboard", get(kiosk::show))
}

/// Where webhooks are to be sent.
fn intake(headers: &HeaderMap) -> String {
    format!("{}/consumetasks", origin(headers))
}

/// The address that this page was asked at.
fn origin(headers: &HeaderMap) -> String {
    let text = |name: header::HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    let plain = |host: &&str| host.chars().all(|sign| sign.is_ascii_alphanumeric() || ".:-[]".contains(sign));
    let host = text(header::HOST).filter(plain).unwrap_or("localhost:5001");
    let scheme = match text(header::HeaderName::from_static("x-forwarded-proto")) {
        Some("https") => "https",
        _ => "http",
    };
    format!("{scheme}://{host}")
}

/// A line for the shell that posts a task there.
fn curl(headers: &HeaderMap) -> String {
    format!(
        "curl {} -H 'content-type: application/json' -d '{{\"owner\":\"Norma Fisher\",\"priority\":\"Major\"}}'",
        intake(headers)
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
