//! How a delivery stands, as its pill: a colour, a symbol and words.

use common::page::duration;

use super::verdict;
use crate::store::{deliveries, deliveries::State, log::Logged};

/// What a pill tells of.
pub struct Standing<'a> {
    state: State,
    in_flight: bool,
    attempts: i64,
    due_ms: i64,
    status: Option<i64>,
    reason: Option<&'a str>,
}

impl<'a> From<&'a deliveries::Delivery> for Standing<'a> {
    fn from(stored: &'a deliveries::Delivery) -> Self {
        Self {
            state: stored.state,
            in_flight: stored.in_flight,
            attempts: stored.attempts,
            due_ms: stored.due_ms,
            status: stored.status,
            reason: stored.reason.as_deref(),
        }
    }
}

impl<'a> From<&'a Logged> for Standing<'a> {
    fn from(stored: &'a Logged) -> Self {
        Self {
            state: stored.state,
            in_flight: stored.in_flight,
            attempts: stored.attempts,
            due_ms: stored.due_ms,
            status: stored.status,
            reason: stored.reason.as_deref(),
        }
    }
}

pub struct Pill {
    pub class: &'static str,
    pub symbol: &'static str,
    pub word: String,
}

impl Standing<'_> {
    pub fn pill(&self, now_ms: i64) -> Pill {
        let last = || verdict(self.status, self.reason);
        let left_s = (self.due_ms - now_ms + 999) / 1000;
        let (class, symbol, word) = match self.state {
            State::Delivered => ("low", "✓", format!("Delivered {}", last())),
            State::Failed => ("critical", "✕", format!("Failed: {}", last())),
            State::Cancelled => ("other", "⊘", "Cancelled".into()),
            State::Held => ("other", "⏸", "Held".into()),
            State::Waiting if self.in_flight => ("moderate", "◌", "Sending".into()),
            State::Waiting if self.attempts == 0 => ("other", "◷", "Waiting".into()),
            State::Waiting if left_s <= 0 => ("major", "↻", "Retrying".into()),
            State::Waiting => ("major", "↻", format!("Retry in {}", duration(left_s))),
        };
        Pill { class, symbol, word }
    }
}

/// The states that a list can be limited to, with the words for them.
pub const STATES: [(&str, &str); 6] = [
    ("", "All"),
    ("waiting", "Waiting"),
    ("delivered", "Delivered"),
    ("failed", "Failed"),
    ("cancelled", "Cancelled"),
    ("held", "Held"),
];
