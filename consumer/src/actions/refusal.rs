//! What a caller is told who gets nothing: always `{"message":"Error","error":"…"}`, as clients in the field look for that word.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use common::problem::Problem;
use serde_json::json;

/// Why a call is refused, and what to change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    pub status: StatusCode,
    pub error: String,
    retry_after: Option<Duration>,
}

impl Refusal {
    #[must_use]
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), retry_after: None }
    }

    #[must_use]
    pub fn unauthorized(error: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, error)
    }

    #[must_use]
    pub fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    #[must_use]
    pub fn not_found(error: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, error)
    }

    /// 429 with `Retry-After`.
    #[must_use]
    pub fn too_many(error: impl Into<String>, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..Self::new(StatusCode::TOO_MANY_REQUESTS, error) }
    }
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        tracing::error!(%error, "database failed");
        let wait = Some(Duration::from_secs(2));
        let error = "The database does not answer; nothing was done. Try again shortly.";
        Self { retry_after: wait, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error) }
    }
}

/// As pages and the administrator's API tell it.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(refusal.status, refusal.error);
        match refusal.retry_after {
            Some(wait) => problem.retry_after(wait),
            None => problem,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let mut response = (self.status, Json(json!({"message": "Error", "error": self.error}))).into_response();
        if let Some(wait) = self.retry_after {
            // At least one: a client that trusts 0 would spin.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
        }
        response
    }
}
