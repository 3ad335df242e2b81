//! The bodies that `PyWebhooks` answers with: errors, counts, records.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{json, value::RawValue};
use utoipa::ToSchema;

use crate::service::Refused;

/// Why a request is not done.
#[derive(Debug)]
pub struct Refusal {
    status: StatusCode,
    /// The key of the body's one member.
    key: &'static str,
    text: String,
    retry_after: Option<Duration>,
    is_guess: bool,
}

/// In the extensions of an answer: a key was sent that is none, which the gate counts.
#[derive(Clone, Copy, Debug)]
pub struct Guessed;

pub type Answer = Result<Response, Refusal>;

impl Refusal {
    /// `{"Error": text}`.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, key: "Error", text: text.into(), retry_after: None, is_guess: false }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub fn unauthorized(text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, text)
    }

    /// 401 for a key or a name that there is not.
    pub fn guessed(text: impl Into<String>) -> Self {
        Self { is_guess: true, ..Self::unauthorized(text) }
    }

    pub fn missing(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    /// A body that is no JSON, as Flask says it, with the cause.
    pub fn unreadable(cause: impl std::fmt::Display) -> Self {
        let text =
            format!("The browser (or proxy) sent a request that this server could not understand. The body: {cause}.");
        Self { key: "message", ..Self::bad(text) }
    }

    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "database failed");
        let wait = Duration::from_secs(2);
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "The database does not answer; try again shortly.").after(wait)
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Bad(text) => Self::bad(text),
            Refused::Missing(text) => Self::missing(text),
            Refused::Conflict(text) => Self::new(StatusCode::CONFLICT, text),
            Refused::Database(error) => error.into(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = json(self.status, &json!({ self.key: self.text }));
        if let Some(wait) = self.retry_after {
            // Rounded up: who comes back a moment early is told the same again.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        if self.is_guess {
            response.extensions_mut().insert(Guessed);
        }
        response
    }
}

/// The value as a body, with the line's end that Flask writes.
pub fn json(status: StatusCode, value: &impl Serialize) -> Response {
    let body = serde_json::to_string(value).expect("bodies are plain JSON") + "\n";
    (status, [(header::CONTENT_TYPE, "application/json")], body).into_response()
}

/// What was done to how many records; always all six, as `RethinkDB` counts.
#[derive(Default, Serialize, ToSchema)]
pub struct Counts {
    pub deleted: u64,
    pub errors: u64,
    pub inserted: u64,
    pub replaced: u64,
    pub skipped: u64,
    pub unchanged: u64,
}

impl IntoResponse for Counts {
    fn into_response(self) -> Response {
        json(StatusCode::OK, &self)
    }
}

/// `Counts` with `deleted` set.
pub fn deleted(count: u64) -> Response {
    Counts { deleted: count, ..Counts::default() }.into_response()
}

/// A stored JSON text as it goes into a body.
pub fn raw(text: &str) -> Box<RawValue> {
    RawValue::from_string(text.to_owned()).unwrap_or_else(|_| RawValue::NULL.to_owned())
}

/// Seconds with a fraction, as Python's `time.time()`.
#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 are below 2^53")]
pub fn epoch(at_us: i64) -> f64 {
    at_us as f64 / 1e6
}
