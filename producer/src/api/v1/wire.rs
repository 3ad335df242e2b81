//! The bodies that `PyWebhooks` answers with: errors, counts, records.

use std::time::Duration;

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use common::outage::Failed;
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
    failed: Option<Failed>,
}

pub type Answer = Result<Response, Refusal>;

impl Refusal {
    /// `{"Error": text}`.
    pub fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, key: "Error", text: text.into(), retry_after: None, failed: None }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub fn unauthorized(text: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, text)
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
        let told = "The database does not answer; try again shortly.";
        let refusal = Self::new(StatusCode::SERVICE_UNAVAILABLE, told).after(Duration::from_secs(2));
        Self { failed: Some(error.into()), ..refusal }
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
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(failed) = self.failed {
            response.extensions_mut().insert(failed);
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
