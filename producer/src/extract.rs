//! What handlers take from a request; whatever is wrong with it is a problem that names the parameter.

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{StatusCode, Uri, request::Parts},
    response::IntoResponse,
};
use common::problem::Problem;
use serde::de::DeserializeOwned;

use crate::store::deliveries::{Filter, State};

const LONGEST_ID: usize = 64;

/// The `{id}` of the path; what cannot be an id is not found.
pub struct Id(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Id {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<String>::from_request_parts(parts, state).await;
        let id = path.ok().map(|Path(id)| id).filter(|id| is_id(id));
        id.map(Self).ok_or_else(|| Problem::not_found("such id"))
    }
}

/// The query string as `T`.
pub struct Params<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        match Query::try_from_uri(&parts.uri) {
            Ok(Query(read)) => Ok(Self(read)),
            Err(rejection) => Err(unreadable(&parts.uri, &rejection.body_text())),
        }
    }
}

/// The words of the rejection name the parameter somewhere between colons.
fn unreadable(uri: &Uri, words: &str) -> Problem {
    let problem = Problem::bad_request(format!("The query cannot be read: {words}."));
    let names = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
    match names.map(|(name, _)| name).find(|name| words.split(": ").any(|word| word == name)) {
        Some(name) => problem.with("field", name.into_owned()),
        None => problem,
    }
}

/// The whole body.
pub struct Body(pub Bytes);

impl<S: Send + Sync> FromRequest<S> for Body {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let rejection = match Bytes::from_request(request, state).await {
            Ok(body) => return Ok(Self(body)),
            Err(rejection) => rejection,
        };
        let words = rejection.body_text();
        Err(match rejection.into_response().status() {
            StatusCode::PAYLOAD_TOO_LARGE => Problem::too_large("The body is too large: write at most 64 KiB."),
            status => Problem::new(status, format!("The body cannot be read: {words}.")),
        })
    }
}

/// What a list of deliveries is asked for; empty texts ask for nothing.
pub fn filter([batch, state, cursor]: [&str; 3], limit: i64) -> Result<Filter, Problem> {
    let asked = |name: &str, text: &str| match text.trim() {
        "" => Ok(None),
        text if is_id(text) => Ok(Some(text.to_owned())),
        _ => Err(Problem::bad_request(format!("{name}: that is none.")).with("field", name)),
    };
    let known = State::ALL.into_iter().find(|known| known.as_str() == state);
    if known.is_none() && !state.is_empty() {
        let detail = "state: write waiting, delivered, failed, cancelled or held.";
        return Err(Problem::bad_request(detail).with("field", "state"));
    }
    Ok(Filter { batch: asked("batch", batch)?, state: known, cursor: asked("cursor", cursor)?, limit })
}

/// Whether it is written as ids are; nothing else is looked for in the database.
fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=LONGEST_ID).contains(&text.len()) && text.bytes().all(fits)
}
