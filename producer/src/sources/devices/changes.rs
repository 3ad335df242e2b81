//! What of all that is read counts as a change: pure, the time is given.

use std::{collections::BTreeMap, time::Duration};

use common::task::Priority;
use serde_json::Value;
use tokio::time::Instant;

use super::{
    reading::{Reading, with_member},
    rules::Rules,
};

/// Devices of one source; a source that says more is broken.
const MOST_DEVICES: usize = 10_000;

/// What is known of a source's devices.
pub struct Changes {
    rules: Rules,
    devices: BTreeMap<(String, String), Device>,
}

/// One device: what was told of it last, and what it says now.
struct Device {
    told: Reading,
    priority: Option<Priority>,
    told_at: Instant,
    now: Reading,
}

impl Changes {
    pub fn new(rules: Rules) -> Self {
        Self { rules, devices: BTreeMap::new() }
    }

    /// Takes what was read; gives the objects that are to be sent, in the order they were read. A device that is new is a change; from
    /// the 10 000th on new ones are passed over.
    pub fn take(&mut self, readings: Vec<Reading>, at: Instant) -> Vec<String> {
        let wanted: Vec<Reading> = readings.into_iter().filter(|reading| self.rules.wants(reading)).collect();
        wanted.into_iter().filter_map(|reading| self.take_one(reading, at)).collect()
    }

    fn take_one(&mut self, reading: Reading, at: Instant) -> Option<String> {
        let key = (reading.dev.clone(), reading.circuit.clone());
        let (rules, is_full) = (&self.rules, self.devices.len() >= MOST_DEVICES);
        let priority = rules.priority(&reading);
        match self.devices.get_mut(&key) {
            None if is_full => None,
            None => {
                let device = Device { told: reading.clone(), priority, told_at: at, now: reading };
                let object = device.object();
                self.devices.insert(key, device);
                Some(object)
            }
            Some(device) => {
                device.now = reading;
                (device.changed(rules) && at >= device.told_at + rules.min_interval).then(|| device.tell(rules, at))
            }
        }
    }

    /// Gives what the passing of time makes due: changes that came too soon, and devices whose heartbeat it is.
    pub fn due(&mut self, at: Instant) -> Vec<String> {
        let rules = &self.rules;
        let due = self.devices.values_mut().filter(|device| device.due_at(rules).is_some_and(|due| due <= at));
        due.map(|device| device.tell(rules, at)).collect()
    }

    /// What every device says now.
    pub fn now(&self) -> impl Iterator<Item = &Reading> {
        self.devices.values().map(|device| &device.now)
    }

    /// When something will be due unless more is read; `None`: never.
    pub fn next_due(&self) -> Option<Instant> {
        self.devices.values().filter_map(|device| device.due_at(&self.rules)).min()
    }
}

impl Device {
    /// Whether what it says now is worth telling.
    fn changed(&self, rules: &Rules) -> bool {
        self.now.rest != self.told.rest
            || rules.priority(&self.now) != self.priority
            || moved(&self.told, &self.now, rules.deadband(&self.now))
    }

    fn due_at(&self, rules: &Rules) -> Option<Instant> {
        let after = |wait: Duration| self.told_at + wait;
        if self.changed(rules) { Some(after(rules.min_interval)) } else { rules.heartbeat.map(after) }
    }

    fn tell(&mut self, rules: &Rules, at: Instant) -> String {
        self.told = self.now.clone();
        self.priority = rules.priority(&self.told);
        self.told_at = at;
        self.object()
    }

    /// The object as it is sent: the device's own, and the priority of the threshold that it is beyond.
    fn object(&self) -> String {
        match self.priority {
            Some(priority) => with_member(&self.told.object, "priority", &format!("\"{}\"", priority.as_str())),
            None => self.told.object.clone(),
        }
    }
}

/// Whether the value moved by more than the dead-band; becoming a number, or no number, is always a move.
fn moved(told: &Reading, now: &Reading, deadband: f64) -> bool {
    match (told.number(), now.number()) {
        (Some(told), Some(now)) if deadband > 0.0 => (now - told).abs() > deadband,
        _ => differs(&told.value, &now.value),
    }
}

/// `1` and `1.0` are the same reading.
fn differs(told: &Value, now: &Value) -> bool {
    match (told.as_f64(), now.as_f64()) {
        (Some(told), Some(now)) => told.total_cmp(&now).is_ne(),
        _ => told != now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources::devices::rules::Threshold;

    fn rules() -> Rules {
        Rules {
            device_mask: vec!["ai".into(), "di/1_*".into(), "temp".into()],
            deadband: BTreeMap::from([("ai".into(), 0.5)]),
            min_interval: Duration::ZERO,
            heartbeat: None,
            thresholds: Vec::new(),
        }
    }

    fn reading(dev: &str, circuit: &str, members: &str) -> Vec<Reading> {
        let object = format!("{{\"dev\": \"{dev}\", \"circuit\": \"{circuit}\", {members}}}");
        vec![Reading::of(&object).unwrap()]
    }

    #[test]
    fn a_change_is_told_once() {
        // dev, circuit, the other members, whether it is told.
        let steps = [
            ("ai", "1", r#""value": 1.0"#, true),
            ("ai", "1", r#""value": 1.4"#, false),
            ("ai", "1", r#""value": 1.5"#, false),
            ("ai", "1", r#""value": 1.6"#, true),
            ("ai", "1", r#""value": 1.2"#, false),
            ("ai", "1", r#""value": "NaN""#, true),
            ("ai", "1", r#""value": "NaN""#, false),
            ("ai", "1", r#""value": 1.6"#, true),
            ("ai", "1", r#""value": 1.6, "mode": "Current""#, true),
            ("ai", "2", r#""value": 1"#, true),
            ("ao", "1", r#""value": 1"#, false),
            ("di", "2_01", r#""value": 1"#, false),
            ("di", "1_01", r#""value": 1, "counter": 0"#, true),
            ("di", "1_01", r#""value": 1.0, "counter": 0"#, false),
            ("di", "1_01", r#""value": 1, "counter": 1"#, true),
            ("temp", "28", r#""value": 6.1, "time": 1"#, true),
            ("temp", "28", r#""value": 6.1, "time": 4"#, false),
            ("temp", "28", r#""value": null, "time": 4"#, true),
        ];
        let (mut changes, at) = (Changes::new(rules()), Instant::now());
        for (dev, circuit, members, told) in steps {
            assert_eq!(
                changes.take(reading(dev, circuit, members), at).len(),
                usize::from(told),
                "{dev} {circuit} {members}"
            );
        }
    }

    #[test]
    fn what_comes_too_soon_is_told_when_its_time_has_come_and_only_as_it_is_then() {
        let min_interval = Duration::from_secs(10);
        let mut changes = Changes::new(Rules { min_interval, ..rules() });
        let start = Instant::now();
        let second = |count: u64| start + Duration::from_secs(count);
        assert_eq!(changes.take(reading("ai", "1", r#""value": 1"#), start).len(), 1);
        assert_eq!(changes.next_due(), None);
        assert!(changes.take(reading("ai", "1", r#""value": 5"#), second(1)).is_empty());
        assert!(changes.take(reading("ai", "1", r#""value": 7"#), second(2)).is_empty());
        assert_eq!(changes.next_due(), Some(second(10)));
        assert!(changes.due(second(9)).is_empty());
        assert!(changes.due(second(10))[0].contains("\"value\": 7"));
        assert!(changes.take(reading("ai", "1", r#""value": 1"#), second(11)).is_empty());
        assert!(changes.take(reading("ai", "1", r#""value": 7"#), second(12)).is_empty());
        assert_eq!(changes.next_due(), None, "it is again what was told");
    }

    #[test]
    fn a_heartbeat_tells_what_did_not_change() {
        let heartbeat = Some(Duration::from_mins(1));
        let mut changes = Changes::new(Rules { heartbeat, ..rules() });
        let start = Instant::now();
        changes.take(reading("ai", "1", r#""value": 1"#), start);
        changes.take(reading("ai", "1", r#""value": 1.2"#), start);
        assert!(changes.due(start + Duration::from_secs(59)).is_empty());
        assert!(changes.due(start + Duration::from_mins(1))[0].contains("1.2"));
        assert_eq!(changes.next_due(), Some(start + Duration::from_mins(2)));
    }

    #[test]
    fn a_threshold_gives_its_priority_and_passes_the_dead_band() {
        let threshold =
            |above, below, priority| Threshold { dev: "a*".into(), circuit: "*".into(), above, below, priority };
        let thresholds = vec![
            threshold(Some(9.0), None, Priority::Critical),
            threshold(Some(8.0), None, Priority::Major),
            threshold(None, Some(0.0), Priority::Moderate),
        ];
        let (mut changes, at) = (Changes::new(Rules { thresholds, ..rules() }), Instant::now());
        for (value, told) in [
            ("7.9", Some("")),
            ("8.1", Some("Major")),
            ("8.2", None),
            ("9.1", Some("Critical")),
            ("9.0", Some("Major")),
            ("7.0", Some("")),
            ("-1", Some("Moderate")),
            ("\"NaN\"", Some("")),
        ] {
            let sent = changes.take(reading("ai", "1", &format!("\"value\": {value}")), at);
            let ends =
                told.map(
                    |name| if name.is_empty() { format!("{value}}}") } else { format!(", \"priority\": \"{name}\"}}") },
                );
            assert_eq!(sent.len(), usize::from(told.is_some()), "{value}");
            assert!(sent.iter().all(|object| object.ends_with(ends.as_deref().unwrap_or_default())), "{sent:?}");
        }
    }
}
