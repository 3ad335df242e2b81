//! Whom an event id would reach now, without doing anything.

use common::page::plural;

use crate::{
    actions::reach::reach,
    store::actions::{definitions::Action, devices::Device},
};

/// Devices that a page lists.
const LISTED: usize = 500;

pub struct Reach {
    pub connected: usize,
    pub away: usize,
    /// Names, and whether they are connected.
    pub devices: Vec<(String, bool)>,
}

impl Reach {
    pub fn new(actions: &[&Action], devices: &[Device], now_ms: i64) -> Self {
        let meant = reach(actions, devices);
        let is_online = |device: &&&Device| device.online_until_ms > now_ms;
        let connected = meant.iter().filter(is_online).count();
        let listed = meant.iter().take(LISTED).map(|device| (device.name.clone(), is_online(&device)));
        Self { connected, away: meant.len() - connected, devices: listed.collect() }
    }

    pub fn count(&self) -> String {
        plural(i64::try_from(self.connected + self.away).unwrap_or(i64::MAX), "device")
    }

    /// `42 devices: 40 connected, 2 away`
    pub fn words(&self) -> String {
        if self.connected + self.away == 0 {
            return "nobody now".into();
        }
        format!("{}: {} connected, {} away", self.count(), self.connected, self.away)
    }
}
