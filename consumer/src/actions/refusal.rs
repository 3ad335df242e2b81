//! What a caller is told who gets nothing: always `{"message":"Error","error":"…"}`, as clients in the field look for that word.

use std::time::Duration;

use axum::{
    Json,
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use common::{db::Db, outage::Failed, problem::Problem};
use serde_json::json;

/// Why a call is refused, and what to change.
#[derive(Clone, Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub error: String,
    retry_after: Option<Duration>,
    failed: Option<Failed>,
}

impl Refusal {
    #[must_use]
    pub fn new(status: StatusCode, error: impl Into<String>) -> Self {
        Self { status, error: error.into(), retry_after: None, failed: None }
    }

    #[must_use]
    pub fn unauthorized(error: impl Into<String>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, error)
    }

    #[must_use]
    pub fn bad_request(error: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, error)
    }

    /// Tells of it where nobody is answered: in the log, the database's outage once.
    pub fn told(&self, db: &Db, meaning: &str) {
        if let Some(Failed(error)) = &self.failed {
            db.failed(error, meaning);
        } else {
            tracing::warn!(error = self.error, "{meaning}");
        }
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
        let (retry_after, failed) = (Some(Duration::from_secs(2)), Some(error.into()));
        let error = "The database does not answer; nothing was done. Try again shortly.";
        Self { retry_after, failed, ..Self::new(StatusCode::SERVICE_UNAVAILABLE, error) }
    }
}

/// As pages and the administrator's API tell it.
impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let problem = Self::new(refusal.status, refusal.error).because(refusal.failed);
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
        if let Some(failed) = self.failed {
            response.extensions_mut().insert(failed);
        }
        response
    }
}
