//! How each source is doing, for whoever asks.

use std::{collections::BTreeMap, sync::Mutex};

use common::time::{now_ms, rfc3339};
use serde::Serialize;
use utoipa::ToSchema;

/// One source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Status {
    pub source: String,
    /// `evok` or `host`.
    pub kind: &'static str,
    /// What can be subscribed to.
    pub registration: String,
    /// `connecting`, `connected`, or `standby`: another producer on this database reads it.
    pub state: &'static str,
    /// RFC 3339.
    pub connected_since: Option<String>,
    /// Devices' objects that were read since the start, changed or not.
    pub readings: u64,
    /// Devices' objects that were sent since the start.
    pub changes: u64,
    pub last_reading_at: Option<String>,
    pub last_change_at: Option<String>,
    /// Modbus slaves behind the source that have been silent for too long.
    pub stale: Vec<String>,
    pub last_error: Option<String>,
    pub last_error_at: Option<String>,
}

impl Status {
    pub fn connected(&mut self) {
        self.state = "connected";
        self.connected_since = Some(rfc3339(now_ms()));
    }

    /// Gives whether it was connected until now.
    pub fn failed(&mut self, error: &str) -> bool {
        let was_connected = self.connected_since.take().is_some();
        self.state = "connecting";
        self.complain(error);
        was_connected
    }

    pub fn complain(&mut self, error: &str) {
        self.last_error = Some(error.to_owned());
        self.last_error_at = Some(rfc3339(now_ms()));
    }

    pub fn stand_by(&mut self) {
        self.state = "standby";
        self.connected_since = None;
    }

    pub fn read(&mut self, devices: usize) {
        self.readings += u64::try_from(devices).unwrap_or(u64::MAX);
        self.last_reading_at = Some(rfc3339(now_ms()));
    }

    pub fn changed(&mut self, devices: usize) {
        self.changes += u64::try_from(devices).unwrap_or(u64::MAX);
        self.last_change_at = Some(rfc3339(now_ms()));
    }
}

/// All sources of this process, by name.
#[derive(Debug, Default)]
pub struct Board(Mutex<BTreeMap<String, Status>>);

impl Board {
    /// A source that is about to be read.
    pub fn enter(&self, source: &str, kind: &'static str, registration: &str) {
        let status = Status {
            source: source.to_owned(),
            kind,
            registration: registration.to_owned(),
            state: "connecting",
            connected_since: None,
            readings: 0,
            changes: 0,
            last_reading_at: None,
            last_change_at: None,
            stale: Vec::new(),
            last_error: None,
            last_error_at: None,
        };
        self.sources().insert(source.to_owned(), status);
    }

    /// Changes one source's status; does nothing, and gives the default, when there is no such source.
    pub fn change<T: Default>(&self, source: &str, change: impl FnOnce(&mut Status) -> T) -> T {
        self.sources().get_mut(source).map(change).unwrap_or_default()
    }

    /// In the order of their names.
    pub fn all(&self) -> Vec<Status> {
        self.sources().values().cloned().collect()
    }

    fn sources(&self) -> std::sync::MutexGuard<'_, BTreeMap<String, Status>> {
        self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
