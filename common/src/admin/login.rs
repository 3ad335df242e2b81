//! The page that asks for the admin password, and the session that the right one opens.

use std::net::SocketAddr;

use askama::Template;
use axum::{
    Form,
    extract::{ConnectInfo, Query, State},
    http::{StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
};
use serde::Deserialize;

use super::{
    Gate,
    lock::{SESSION_S, Verdict},
    too_many_tries,
};
use crate::problem::Problem;

#[derive(Template)]
#[template(path = "login.html")]
struct LoginPage {
    error: Option<String>,
    next: String,
    service: String,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
pub struct Credentials {
    password: String,
    #[serde(default)]
    next: String,
}

/// `next` when it is a path of this service, else `/`: `//host` and `/\host` would lead elsewhere, and so would `/`, a tab and `/host`.
#[must_use]
pub fn own_path(next: &str) -> &str {
    let own = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains(|letter: char| letter == '\\' || letter.is_ascii_control());
    if own { next } else { "/" }
}

fn page(gate: &Gate, error: Option<String>, next: &str) -> Response {
    let page = LoginPage { error, next: own_path(next).to_owned(), service: gate.service.to_owned() };
    page.render().map_or_else(|error| Problem::internal(&error).into_response(), |text| Html(text).into_response())
}

pub async fn show(State(gate): State<Gate>, Query(asked): Query<Asked>) -> Response {
    if gate.lock.is_none() {
        return Redirect::to(own_path(&asked.next)).into_response();
    }
    page(&gate, None, &asked.next)
}

pub async fn enter(
    State(gate): State<Gate>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Form(given): Form<Credentials>,
) -> Response {
    let Some(lock) = &gate.lock else {
        return Redirect::to("/").into_response();
    };
    match lock.try_password(&given.password, Some(peer.ip())) {
        Verdict::Welcome => {
            let cookie = gate.cookie(&lock.new_session(), SESSION_S);
            ([(header::SET_COOKIE, cookie)], Redirect::to(own_path(&given.next))).into_response()
        }
        Verdict::TooManyTries(wait) => too_many_tries(wait),
        Verdict::Stranger => {
            let page = page(&gate, Some("That is not the admin password.".into()), &given.next);
            (StatusCode::UNAUTHORIZED, page).into_response()
        }
    }
}

pub async fn leave(State(gate): State<Gate>) -> Response {
    ([(header::SET_COOKIE, gate.cookie("", 0))], Redirect::to("/login")).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_signing_in_one_stays_on_this_service() {
        for (next, expected) in [
            ("/events?q=1", "/events?q=1"),
            ("//evil.example", "/"),
            ("https://evil.example", "/"),
            ("/\\evil", "/"),
            ("/\t/evil", "/"),
            ("/\u{7f}x", "/"),
            ("", "/"),
        ] {
            assert_eq!(own_path(next), expected);
        }
    }
}
