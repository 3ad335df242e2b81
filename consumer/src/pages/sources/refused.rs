//! A request that was not let in, as a row that opens.

use common::page::{Stamp, bytes, grouped};
use serde::Deserialize;

use crate::store::rejected::Rejected;

pub struct RejectedRow {
    pub at: Stamp,
    pub status: i64,
    pub reason: String,
    pub method: String,
    pub path: String,
    pub remote: String,
    pub headers: Vec<Header>,
    pub body: String,
    pub size: String,
}

pub struct Header {
    pub name: String,
    pub value: String,
}

/// What is stored of a request that was turned away.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Described {
    pub method: String,
    pub path: String,
    pub remote: Option<String>,
    pub headers: Vec<(String, String)>,
}

impl RejectedRow {
    pub fn of(rejected: Rejected, now_ms: i64) -> Self {
        let described: Described = serde_json::from_str(&rejected.request).unwrap_or_default();
        let more =
            if rejected.more > 0 { format!(" (and {} more like it)", grouped(rejected.more)) } else { String::new() };
        let size = usize::try_from(rejected.size).unwrap_or_default();
        let size = match (size, rejected.body.len() < size) {
            (0, _) => "No body.".into(),
            (size, true) => format!("The beginning of {}.", bytes(size)),
            (size, false) => format!("{}, all of it.", bytes(size)),
        };
        Self {
            at: Stamp::of(rejected.at_ms, now_ms),
            status: rejected.status,
            reason: format!("{}{more}", upper(&rejected.reason)),
            method: described.method,
            path: described.path,
            remote: described.remote.unwrap_or_default(),
            headers: described.headers.into_iter().map(|(name, value)| Header { name, value }).collect(),
            body: rejected.body,
            size,
        }
    }
}

fn upper(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
