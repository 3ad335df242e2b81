//! What a source's user wants to be told: which devices, how large a change, how often, and how urgent it is.

use std::{collections::BTreeMap, time::Duration};

use common::task::Priority;
use serde::Deserialize;

use super::reading::Reading;
use crate::filter::glob;

/// The wishes of one source.
#[derive(Clone, Debug, Default)]
pub struct Rules {
    /// Patterns of `dev`, or of `dev/circuit`; `*` stands for any letters.
    pub device_mask: Vec<String>,
    /// By `dev`: a value that moved by no more than this since it was last told is no change.
    pub deadband: BTreeMap<String, f64>,
    /// A device is told at most so often; what it says meanwhile is told when the time is over.
    pub min_interval: Duration,
    /// A device that did not change is told again after this time; `None`: never.
    pub heartbeat: Option<Duration>,
    pub thresholds: Vec<Threshold>,
}

/// From where on a value is urgent.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Threshold {
    /// A pattern.
    pub dev: String,
    /// A pattern; unset: every circuit.
    #[serde(default = "any")]
    pub circuit: String,
    pub above: Option<f64>,
    pub below: Option<f64>,
    pub priority: Priority,
}

fn any() -> String {
    "*".to_owned()
}

impl Rules {
    /// Whether the mask lets the device through.
    pub fn wants(&self, reading: &Reading) -> bool {
        self.device_mask.iter().any(|pattern| match pattern.split_once('/') {
            Some((dev, circuit)) => glob(dev, &reading.dev) && glob(circuit, &reading.circuit),
            None => glob(pattern, &reading.dev),
        })
    }

    /// How far the device's value may move without a change.
    pub fn deadband(&self, reading: &Reading) -> f64 {
        self.deadband.get(&reading.dev).copied().unwrap_or_default()
    }

    /// The most urgent of the thresholds that the value is beyond; `None`: of none.
    pub fn priority(&self, reading: &Reading) -> Option<Priority> {
        let value = reading.number()?;
        let beyond = self.thresholds.iter().filter(|threshold| threshold.is_beyond(reading, value));
        beyond.map(|threshold| threshold.priority).max()
    }
}

impl Threshold {
    fn is_beyond(&self, reading: &Reading, value: f64) -> bool {
        let is_far = self.above.is_some_and(|above| value > above) || self.below.is_some_and(|below| value < below);
        is_far && glob(&self.dev, &reading.dev) && glob(&self.circuit, &reading.circuit)
    }
}
