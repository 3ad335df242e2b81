//! How a source is doing, for whoever asks.

use common::time::{now_ms, rfc3339};
use serde::Serialize;
use utoipa::ToSchema;

use super::rate::Rate;

/// Of more than these nobody can make anything.
const MOST_FAILING: usize = 100;

/// One source.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub struct Status {
    pub source: String,
    /// `evok`, `host`, `modbus` or `mqtt`.
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
    /// Readings a second, over the last ten.
    pub readings_per_s: f64,
    /// Objects sent a second, over the last ten.
    pub changes_per_s: f64,
    pub last_reading_at: Option<String>,
    pub last_change_at: Option<String>,
    /// Modbus slaves behind the source that have been silent for too long.
    pub stale: Vec<String>,
    /// What was asked for and could not be read, the first 100.
    pub failing: Vec<Failing>,
    pub last_error: Option<String>,
    pub last_error_at: Option<String>,
    #[serde(skip)]
    reading: Rate,
    #[serde(skip)]
    changing: Rate,
}

/// A device that cannot be read, over a connection that stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Failing {
    pub device: String,
    /// Why, in words.
    pub error: String,
}

impl Status {
    /// Of a source that is about to be read.
    pub fn new(source: &str, kind: &'static str, registration: &str) -> Self {
        Self {
            source: source.to_owned(),
            kind,
            registration: registration.to_owned(),
            state: "connecting",
            connected_since: None,
            readings: 0,
            changes: 0,
            readings_per_s: 0.0,
            changes_per_s: 0.0,
            last_reading_at: None,
            last_change_at: None,
            stale: Vec::new(),
            failing: Vec::new(),
            last_error: None,
            last_error_at: None,
            reading: Rate::default(),
            changing: Rate::default(),
        }
    }

    /// As it is now: with the rates of the last seconds.
    pub fn now(&self) -> Self {
        let now_s = now_ms() / 1000;
        let (readings_per_s, changes_per_s) = (self.reading.per_second(now_s), self.changing.per_second(now_s));
        Self { readings_per_s, changes_per_s, ..self.clone() }
    }

    pub fn connected(&mut self) {
        self.state = "connected";
        self.connected_since = Some(rfc3339(now_ms()));
    }

    /// Gives whether it was connected until now.
    pub fn failed(&mut self, error: &str) -> bool {
        let was_connected = self.connected_since.take().is_some();
        self.state = "connecting";
        self.failing.clear();
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

    pub fn fail(&mut self, mut failing: Vec<Failing>) {
        failing.truncate(MOST_FAILING);
        self.failing = failing;
    }

    pub fn read(&mut self, devices: usize) {
        let (count, now_ms) = (u64::try_from(devices).unwrap_or(u64::MAX), now_ms());
        self.readings += count;
        self.reading.add(count, now_ms / 1000);
        self.last_reading_at = Some(rfc3339(now_ms));
    }

    pub fn changed(&mut self, devices: usize) {
        let (count, now_ms) = (u64::try_from(devices).unwrap_or(u64::MAX), now_ms());
        self.changes += count;
        self.changing.add(count, now_ms / 1000);
        self.last_change_at = Some(rfc3339(now_ms));
    }
}
