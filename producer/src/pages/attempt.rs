//! An attempt as the pages of deliveries show it.

use common::page::{Stamp, grouped};

use super::verdict;
use crate::store::attempts::Attempt;

/// Attempts a delivery is shown with.
pub const SHOWN: i64 = 100;

pub struct AttemptRow {
    pub number: i64,
    pub at: Stamp,
    pub class: &'static str,
    pub symbol: &'static str,
    pub result: String,
    pub detail: String,
    pub took: String,
    /// Kept of deliveries to accounts: name and value.
    pub request_headers: Vec<(String, String)>,
    pub response_headers: Vec<(String, String)>,
    pub response: String,
}

impl AttemptRow {
    pub fn of(attempt: Attempt, now_ms: i64) -> Self {
        let (class, symbol) = match attempt.outcome.as_str() {
            "delivered" => ("low", "✓"),
            "retrying" => ("major", "↻"),
            _ => ("critical", "✕"),
        };
        let pairs = |json: Option<String>| json.and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
        Self {
            number: attempt.number,
            at: Stamp::of(attempt.at_ms, now_ms),
            class,
            symbol,
            result: verdict(attempt.status, attempt.reason.as_deref()),
            detail: attempt.detail.unwrap_or_default(),
            took: format!("{} ms", grouped(attempt.duration_ms)),
            request_headers: pairs(attempt.request_headers),
            response_headers: pairs(attempt.response_headers),
            response: attempt.response.unwrap_or_default(),
        }
    }

    /// The newest first, of attempts in their order.
    pub fn all(attempts: Vec<Attempt>, now_ms: i64) -> Vec<Self> {
        attempts.into_iter().rev().map(|attempt| Self::of(attempt, now_ms)).collect()
    }
}
