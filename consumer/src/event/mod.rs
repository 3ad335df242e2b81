//! An event of the log: what one webhook said, where it came from, and its place in the order.

mod rank;
mod summary;

use std::{
    ops::Deref,
    sync::{Arc, OnceLock},
};

use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};

pub use rank::Rank;
pub use summary::{Summary, title};

use crate::{devices::Reading, firing::Fire};

/// The source of the events that executions are.
pub const ACTIONS: &str = "actions";

/// An event that has not got its place yet.
#[derive(Clone, Debug)]
pub struct NewEvent {
    /// The sender's `webhook-id`; `None`: it sent none, and every request is an event of its own.
    pub webhook_id: Option<String>,
    pub source: Arc<str>,
    pub rank: Rank,
    pub received_ms: i64,
    pub request: Arc<str>,
    pub body: String,
    pub shown: Shown,
    /// What it says of a device, if it is a reading.
    pub reading: Option<Box<Reading>>,
    /// What rules fire with it; nothing when it turns out to be a repeat.
    pub fires: Vec<Fire>,
}

/// What is said of an event for people that its body does not say plainly; stored as JSON, and empty for most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Shown {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// A device said how things stand, not that something changed.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub snapshot: bool,
}

impl Shown {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// About how many bytes it takes.
    fn size(&self) -> usize {
        [&self.title, &self.owner].into_iter().flatten().map(|text| text.len() + 20).sum()
    }
}

/// An event of the log.
#[derive(Debug)]
pub struct Event {
    record: Record,
    /// The body as a JSON string, for the tutorial's clients; made when the first of them is there.
    quoted: OnceLock<Box<RawValue>>,
}

/// What another node, or the database, tells of an event.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Its place: 1, 2, 3 … without holes.
    pub offset: i64,
    pub id: String,
    pub source: Arc<str>,
    pub rank: Rank,
    pub received_ms: i64,
    pub request: Arc<str>,
    pub body: String,
    #[serde(default, skip_serializing_if = "Shown::is_empty")]
    pub shown: Shown,
    /// The device whose reading it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<i64>,
    /// How often the same reading came again, and when it last did.
    #[serde(default)]
    pub repeats: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated_ms: Option<i64>,
}

/// How often the reading that an event is came again, and when it last did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Repeated {
    pub offset: i64,
    pub repeats: i64,
    pub repeated_ms: i64,
}

impl From<Record> for Event {
    fn from(record: Record) -> Self {
        Self { record, quoted: OnceLock::new() }
    }
}

impl Deref for Event {
    type Target = Record;

    fn deref(&self) -> &Record {
        &self.record
    }
}

impl Event {
    /// The argument of `msg`: a JSON string that holds the event's JSON.
    ///
    /// # Panics
    /// Never: a text is always a JSON string.
    #[must_use]
    pub fn quoted(&self) -> &RawValue {
        self.quoted.get_or_init(|| to_raw_value(&self.body).expect("a text is always a JSON string"))
    }

    /// About how many bytes it takes on the way to the database.
    #[must_use]
    pub fn stored_bytes(&self) -> usize {
        self.body.len() + self.request.len() + self.id.len() + self.source.len() + self.shown.size() + 60
    }

    /// About how many bytes it takes in memory.
    #[must_use]
    pub fn size(&self) -> usize {
        self.body.len() * 2 + self.request.len() + self.id.len() + self.shown.size() + 200
    }
}

/// The body as `T` when it is a JSON object; serde reads the elements of an array as a struct's members too.
fn object<'a, T: Deserialize<'a>>(body: &'a str) -> Option<T> {
    body.starts_with('{').then(|| serde_json::from_str(body).ok())?
}
