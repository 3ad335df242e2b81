//! What a source's user wants to be told: which devices, how large a change, how often, and how urgent it is.

use std::{collections::BTreeMap, time::Duration};

use common::task::Priority;
use serde::Deserialize;

use super::reading::Reading;

/// The wishes of one source.
#[derive(Clone, Debug)]
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
            Some((dev, circuit)) => fits(dev, &reading.dev) && fits(circuit, &reading.circuit),
            None => fits(pattern, &reading.dev),
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
        is_far && fits(&self.dev, &reading.dev) && fits(&self.circuit, &reading.circuit)
    }
}

/// Whether the text is of the pattern, in which `*` stands for any letters, also for none.
fn fits(pattern: &str, text: &str) -> bool {
    let Some((head, tail)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(head) else { return false };
    let mut parts: Vec<&str> = tail.split('*').collect();
    let end = parts.pop().unwrap_or_default();
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, text) in
            [("ai", "ai"), ("*", ""), ("*", "x"), ("1_*", "1_01"), ("*_01", "1_01"), ("a*b*c", "a-b-b-c"), ("**", "x")]
        {
            assert!(fits(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("ai", "ao"), ("", "x"), ("1_*", "2_01"), ("*_02", "1_01"), ("a*b*c", "acb"), ("ab*b", "ab")]
        {
            assert!(!fits(pattern, text), "{pattern} {text}");
        }
    }
}
