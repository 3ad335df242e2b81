//! What of one commit is appended, and at which place.

use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

use uuid::Uuid;

use super::{
    ledger::{Again, Device, Ledger, Said},
    reading::Key,
};
use crate::{
    event::{Event, NewEvent, Record},
    firing::{self, Firing},
};

/// What is written of a commit.
#[derive(Debug, Default)]
pub struct Placed {
    /// What is appended, in order.
    pub events: Vec<Arc<Event>>,
    /// What rules fire with them.
    pub firings: Vec<Firing>,
    /// Devices that a reading came of, as they stand now.
    pub devices: Vec<Device>,
    /// Events that were repeated, by their offsets; those of this commit as well.
    pub again: BTreeMap<i64, Again>,
    /// There was a new device for which there is no room.
    pub too_many: bool,
}

/// Gives the events of each request the offsets after `head`, in the order they came.
///
/// Left out are repeats of a `webhook-id`, `known` by (id, source), which count nothing, and repeats of a reading, which are counted.
#[must_use]
pub(crate) fn place(
    head: i64,
    requests: Vec<Vec<NewEvent>>,
    known: HashSet<(String, String)>,
    ledger: Ledger,
) -> Placed {
    let records = Vec::with_capacity(requests.iter().map(Vec::len).sum());
    let mut placing = Placing { head, records, firings: Vec::new(), known, ledger, too_many: false };
    for request in requests {
        placing.request(request);
    }
    let Placing { mut records, firings, ledger, too_many, .. } = placing;
    let (devices, again) = ledger.into_news();
    for (offset, Again { times, last_ms }) in again.range(head + 1..) {
        if let Some(record) = usize::try_from(offset - head - 1).ok().and_then(|place| records.get_mut(place)) {
            (record.repeats, record.repeated_ms) = (*times, Some(*last_ms));
        }
    }
    let events = records.into_iter().map(|record| Arc::new(record.into())).collect();
    Placed { events, firings, devices, again, too_many }
}

struct Placing {
    head: i64,
    records: Vec<Record>,
    firings: Vec<Firing>,
    known: HashSet<(String, String)>,
    ledger: Ledger,
    too_many: bool,
}

/// What a reading without a number says, as JSON.
const NO_NUMBERS: [&str; 3] = ["\"NaN\"", "\"Infinity\"", "\"-Infinity\""];

/// The devices of one request: how each was heard of first.
#[derive(Default)]
struct Heard {
    devices: HashSet<Key>,
    quiet: usize,
    /// Places in the records: readings, and those of devices that were never seen.
    readings: Vec<usize>,
    firsts: Vec<usize>,
}

impl Placing {
    fn request(&mut self, events: Vec<NewEvent>) {
        let mut heard = Heard::default();
        for event in events {
            self.event(event, &mut heard);
        }
        if heard.is_snapshot() {
            heard.readings.iter().for_each(|place| self.records[*place].shown.snapshot = true);
            for first in &heard.firsts {
                let record = &mut self.records[*first];
                record.rank = record.rank.calm();
                self.firings.retain(|firing| firing.offset != record.offset);
            }
        }
    }

    fn event(&mut self, event: NewEvent, heard: &mut Heard) {
        if event.webhook_id.as_ref().is_some_and(|id| !self.known.insert((id.clone(), event.source.to_string()))) {
            return;
        }
        let place = self.records.len();
        let offset = self.head + 1 + i64::try_from(place).unwrap_or(i64::MAX);
        let firings = firing::of(&event, offset);
        let NewEvent { webhook_id, source, rank, received_ms, request, body, shown, reading, .. } = event;
        let mut device = None;
        if let Some(reading) = reading {
            let key = Key { source: source.clone(), dev: reading.dev.clone(), circuit: reading.circuit.clone() };
            let is_number = !NO_NUMBERS.contains(&reading.value.as_str());
            let said = self.ledger.take(&key, *reading, offset, received_ms);
            device = self.ledger.id(&key);
            self.too_many |= said == Said::TooMany;
            // Evok says at each scan again which inputs are no number, among what changed: that says nothing of a start.
            if is_number || !matches!(said, Said::Again(_)) {
                heard.note(key, said, place);
            }
            if matches!(said, Said::Again(_)) {
                return;
            }
        }
        let id = webhook_id.unwrap_or_else(|| Uuid::now_v7().to_string());
        let (repeats, repeated_ms) = (0, None);
        self.firings.extend(firings);
        self.records.push(Record {
            offset,
            id,
            source,
            rank,
            received_ms,
            request,
            body,
            shown,
            device,
            repeats,
            repeated_ms,
        });
    }
}

impl Heard {
    fn note(&mut self, key: Key, said: Said, place: usize) {
        if said == Said::TooMany {
            return;
        }
        let is_quiet = said != Said::Changed;
        if self.devices.insert(key) && is_quiet {
            self.quiet += 1;
        }
        if !matches!(said, Said::Again(_)) {
            self.readings.push(place);
        }
        if said == Said::First {
            self.firsts.push(place);
        }
    }

    /// At least two devices, and half of all, were never seen or said nothing new.
    fn is_snapshot(&self) -> bool {
        self.quiet >= 2 && self.quiet * 2 >= self.devices.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        devices::Reading,
        event::{Rank, Shown},
    };

    fn event(dev: &str, value: impl std::fmt::Display, priority: &str) -> NewEvent {
        let body = format!(r#"{{"dev":"{dev}","circuit":"1","value":{value},"priority":"{priority}"}}"#);
        NewEvent {
            webhook_id: None,
            source: "s".into(),
            rank: Rank::from_name(priority).unwrap_or(Rank::Other),
            received_ms: 7,
            request: "{}".into(),
            reading: Reading::of(&body).map(Box::new),
            body,
            shown: Shown::default(),
            fires: Vec::new(),
        }
    }

    /// The device's name, its value, whether it is of a snapshot, its rank, and its repeats.
    fn placed(room: usize, requests: Vec<Vec<NewEvent>>) -> Vec<(String, bool, &'static str, i64)> {
        let placed = place(40, requests, HashSet::new(), Ledger::new(Vec::new(), room));
        assert_eq!(
            placed.events.iter().map(|event| event.offset).collect::<Vec<_>>(),
            (41..).take(placed.events.len()).collect::<Vec<_>>()
        );
        let told = |event: &Arc<Event>| {
            let reading = Reading::of(&event.body).unwrap();
            let name = format!("{}={}", reading.dev, reading.value);
            (name, event.shown.snapshot, event.rank.as_str(), event.repeats)
        };
        placed.events.iter().map(told).collect()
    }

    #[test]
    fn the_order_of_changes_is_kept_and_repeats_are_counted_where_they_belong() {
        let [one, two] = [1, 2].map(|value| move || vec![event("a", value, "Low")]);
        let expected = |told: &[(&str, i64)]| {
            told.iter().map(|(name, repeats)| ((*name).to_owned(), false, "Low", *repeats)).collect::<Vec<_>>()
        };
        assert_eq!(placed(9, vec![one(), two(), one()]), expected(&[("a=1", 0), ("a=2", 0), ("a=1", 0)]));
        assert_eq!(placed(9, vec![one(), one(), two(), two(), two()]), expected(&[("a=1", 1), ("a=2", 2)]));
    }

    #[test]
    fn a_first_state_of_several_devices_is_a_snapshot_and_no_alarm() {
        let start = vec![event("a", 1, "Critical"), event("b", 1, "Major")];
        let changes = vec![event("a", 2, "Critical"), event("b", 1, "Major"), event("c", 1, "Critical")];
        let told = placed(9, vec![start, changes]);
        let expected = [("a=1", true, "Low"), ("b=1", true, "Low"), ("a=2", true, "Critical"), ("c=1", true, "Low")];
        assert_eq!(
            told.iter().map(|(name, snapshot, rank, _)| (name.as_str(), *snapshot, *rank)).collect::<Vec<_>>(),
            expected,
            "what really changed keeps its rank"
        );
    }

    #[test]
    fn changes_a_single_first_reading_and_one_device_said_twice_are_no_snapshot() {
        let first = |dev| vec![event(dev, 1, "Critical")];
        let changes = vec![event("a", 2, "Critical"), event("b", 2, "Critical"), event("c", 1, "Critical")];
        let twice = vec![event("d", 1, "Critical"), event("d", 1, "Critical")];
        for told in placed(9, vec![first("a"), first("b"), changes, twice]) {
            assert_eq!((told.1, told.2), (false, "Critical"), "{told:?}");
        }
    }

    #[test]
    fn what_is_no_number_still_makes_no_snapshot_of_the_change_beside_it() {
        let none = |dev| event(dev, "\"NaN\"", "Low");
        let start = vec![none("a"), none("b"), event("c", 1, "Low")];
        let scan = vec![none("a"), none("b"), event("c", 2, "Critical")];
        let told = placed(9, vec![start, scan]);
        assert_eq!((told[3].0.as_str(), told[3].1, told[3].2), ("c=2", false, "Critical"), "{told:?}");
    }

    #[test]
    fn beyond_the_room_a_reading_is_an_event_like_any_other() {
        let told = placed(1, vec![vec![event("a", 1, "Low")], vec![event("b", 1, "Low")], vec![event("b", 1, "Low")]]);
        assert_eq!(told.iter().map(|told| told.0.as_str()).collect::<Vec<_>>(), ["a=1", "b=1", "b=1"]);
    }
}
