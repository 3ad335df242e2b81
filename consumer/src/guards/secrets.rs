//! The secrets of a source: one, or two while one takes the place of the other.

use std::fmt;

use common::key;
use serde::{Deserialize, Serialize};

/// None for an open source, else one or two: either is good, the first is the one to give to senders.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secrets(Vec<String>);

impl Secrets {
    /// `second` is an earlier secret that senders may still have.
    #[must_use]
    pub fn new(first: Option<String>, second: Option<String>) -> Self {
        Self(first.into_iter().chain(second).collect())
    }

    #[must_use]
    pub fn first(&self) -> Option<&str> {
        self.0.first().map(String::as_str)
    }

    /// The earlier one, while it is still good.
    #[must_use]
    pub fn second(&self) -> Option<&str> {
        self.0.get(1).map(String::as_str)
    }

    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The new one first, the present one after it; what was second is good no more.
    #[must_use]
    pub fn rotated(&self, new: String) -> Self {
        Self::new(Some(new), self.first().map(str::to_owned))
    }

    /// The first one alone.
    #[must_use]
    pub fn settled(&self) -> Self {
        Self::new(self.first().map(str::to_owned), None)
    }

    /// Whether `test` holds for one; all are tried, so that the time does not tell which.
    pub(super) fn any(&self, test: impl Fn(&str) -> bool) -> bool {
        self.0.iter().fold(false, |found, secret| test(secret) | found)
    }

    /// Whether it is one of them.
    pub(super) fn contain(&self, offered: &[u8]) -> bool {
        self.any(|secret| key::equal(secret.as_bytes(), offered))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({})", self.0.len())
    }
}
