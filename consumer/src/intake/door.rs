//! The door of the intake: a request comes in when the guard of its source lets it, and in the source's pace. Who is not let in is counted and kept.

use std::{borrow::Cow, time::Duration};

use axum::http::{HeaderValue, StatusCode, header, request::Parts};
use common::{
    problem::Problem,
    time::{now_ms, now_us},
};

use serde::Deserialize;

use super::kept;
use crate::{
    App,
    config::UnknownSources,
    guards::{Guard, Kind, Rejection, Request},
    sources::Source,
    store::rejected::Rejected,
};

/// Bytes of a body that are kept with a request that was not let in.
const MAX_BODY_KEPT: usize = 4096;

/// Where a request goes: the name of the source, what is known of it, and what follows the name in the path.
pub struct Place<'a> {
    pub name: &'a str,
    /// `None`: it is not configured.
    pub source: Option<&'a Source>,
    pub token: Option<&'a str>,
}

impl Place<'_> {
    /// Whether something follows the name in the path that is no token.
    fn is_nowhere(&self) -> bool {
        self.token.is_some() && !self.source.is_some_and(|source| source.guard.is_in_path())
    }
}

/// Lets the request in.
///
/// # Errors
/// 401 or 403 by the guard, 403 for a name that is not configured where only configured ones are taken, 404 when something follows the name that is
/// no token, 429 when it comes too soon.
pub fn pass(app: &App, place: &Place<'_>, parts: &Parts, body: &[u8]) -> Result<(), Problem> {
    find(app, place, parts, body)?;
    let Some(source) = place.source else { return Ok(()) };
    verify(app, (place, source), parts, body)?;
    let Some(allowance) = &source.pace else { return Ok(()) };
    allowance.take(now_us()).map_err(|wait| {
        app.metrics.rejected(Kind::TooFast);
        let detail =
            format!("{} This source takes {} requests a minute.", Kind::TooFast.for_sender(), allowance.per_minute);
        Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(wait)
    })
}

/// Whether who asks may be told that it may send: the address has to be right, with its token where it has one. Headers and signatures come with
/// the events.
///
/// # Errors
/// Like [`pass`].
pub fn allow(app: &App, place: &Place<'_>, parts: &Parts) -> Result<(), Problem> {
    find(app, place, parts, &[])?;
    match place.source.filter(|source| source.guard.is_in_address()) {
        Some(source) => verify(app, (place, source), parts, &[]),
        None => Ok(()),
    }
}

fn find(app: &App, place: &Place<'_>, parts: &Parts, body: &[u8]) -> Result<(), Problem> {
    if place.source.is_none() && app.config.unknown_sources == UnknownSources::Refuse {
        let reason = format!("no source {} is configured, and UNKNOWN_SOURCES refuses the others", place.name);
        return Err(reject(app, place, parts, (body, Rejection::new(Kind::Unknown, reason))));
    }
    if place.is_nowhere() {
        return Err(Problem::not_found("such address: only a source with a token in its path has one behind its name"));
    }
    Ok(())
}

fn verify(app: &App, (place, source): (&Place<'_>, &Source), parts: &Parts, body: &[u8]) -> Result<(), Problem> {
    let request = Request {
        method: &parts.method,
        path_token: place.token,
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body,
    };
    source.verify(&request, now_ms() / 1000).map_err(|rejection| reject(app, place, parts, (body, rejection)))
}

/// The word that Slack wants back before it sends events to an address: <https://docs.slack.dev/reference/events/url_verification>. `None`: it is an event.
pub fn challenge(place: &Place<'_>, body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Verification {
        r#type: String,
        challenge: String,
    }
    place.source.filter(|source| matches!(source.guard, Guard::Slack(_)))?;
    let asked: Verification = serde_json::from_slice(body).ok()?;
    (asked.r#type == "url_verification").then_some(asked.challenge)
}

/// Counts and keeps it, and says what the sender is told.
fn reject(app: &App, place: &Place<'_>, parts: &Parts, (body, rejection): (&[u8], Rejection)) -> Problem {
    app.metrics.rejected(rejection.kind);
    // What anybody may name is kept together: no name of somebody's choice takes room of its own.
    let name = if place.source.is_some() { place.name } else { "" };
    let at_ms = now_ms();
    app.registry.recorder.record(name, at_ms, || Rejected {
        source: name.to_owned(),
        at_ms,
        status: i64::from(rejection.kind.status()),
        kind: rejection.kind.as_str().to_owned(),
        reason: rejection.reason.clone(),
        request: kept::describe(parts, 1, place.source.map(|source| &source.guard)).to_string(),
        body: beginning(body).into_owned(),
        size: i64::try_from(body.len()).unwrap_or(i64::MAX),
        more: 0,
    });
    told(place, &rejection)
}

fn told(place: &Place<'_>, rejection: &Rejection) -> Problem {
    let status = StatusCode::from_u16(rejection.kind.status()).unwrap_or(StatusCode::FORBIDDEN);
    let problem = Problem::new(status, rejection.kind.for_sender());
    if rejection.kind == Kind::Sealed {
        return problem.retry_after(Duration::from_mins(1));
    }
    let challenge = rejection.scheme.filter(|_| status == StatusCode::UNAUTHORIZED);
    let challenge =
        challenge.and_then(|scheme| HeaderValue::try_from(format!("{scheme} realm=\"{}\"", place.name)).ok());
    match challenge {
        Some(challenge) => problem.header(header::WWW_AUTHENTICATE, challenge),
        None => problem,
    }
}

/// The first bytes as text that every database takes.
fn beginning(body: &[u8]) -> Cow<'_, str> {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_BODY_KEPT)]);
    if text.contains('\0') { text.replace('\0', "\u{fffd}").into() } else { text }
}
