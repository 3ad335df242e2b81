//! How a delivery stands, as its pill: a colour, a symbol and words.

use common::page::duration;

use super::verdict;
use crate::store::deliveries::{Standing, State};

pub struct Pill {
    pub class: &'static str,
    pub symbol: &'static str,
    pub word: String,
}

pub fn pill(of: &Standing, now_ms: i64) -> Pill {
    let last = || verdict(of.status, of.reason.as_deref());
    let left_s = (of.due_ms - now_ms + 999) / 1000;
    let (class, symbol, word) = match of.state {
        State::Delivered => ("low", "✓", format!("Delivered {}", last())),
        State::Failed => ("critical", "✕", format!("Failed: {}", last())),
        State::Cancelled => ("other", "⊘", "Cancelled".into()),
        State::Held => ("other", "⏸", "Held".into()),
        State::Waiting if of.in_flight => ("moderate", "◌", "Sending".into()),
        State::Waiting if of.attempts == 0 => ("other", "◷", "Waiting".into()),
        State::Waiting if left_s <= 0 => ("major", "↻", "Retrying".into()),
        State::Waiting => ("major", "↻", format!("Retry in {}", duration(left_s))),
    };
    Pill { class, symbol, word }
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
