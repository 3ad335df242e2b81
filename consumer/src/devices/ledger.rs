//! The devices that one commit's readings speak of, as they stand, and what each reading is to them.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::reading::{Key, Reading};

/// A device as its last reading left it.
#[derive(Clone, Debug)]
pub struct Device {
    /// The offset of its first reading.
    pub id: i64,
    pub key: Key,
    pub name: Option<String>,
    pub kind: String,
    /// JSON.
    pub value: String,
    pub unit: Option<String>,
    pub digest: String,
    /// The event of its current reading, and how often that came again.
    pub offset: i64,
    pub repeats: i64,
    pub first_ms: i64,
    pub changed_ms: i64,
    /// When it was last heard of, with or without a change.
    pub last_ms: i64,
}

/// What a reading is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    /// Of a device that was never seen.
    First,
    /// Other than before.
    Changed,
    /// What the event at this offset said.
    Again(i64),
    /// Of a new device beyond as many as may be.
    TooMany,
}

/// How often an event was repeated, and when it last was.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Again {
    pub times: i64,
    pub last_ms: i64,
}

/// The devices of one commit.
#[derive(Debug, Default)]
pub struct Ledger {
    devices: HashMap<Key, Device>,
    touched: HashSet<Key>,
    room: usize,
    again: BTreeMap<i64, Again>,
}

impl Ledger {
    /// With the devices that are known already; `room` new ones are taken.
    #[must_use]
    pub fn new(known: Vec<Device>, room: usize) -> Self {
        let devices = known.into_iter().map(|device| (device.key.clone(), device)).collect();
        Self { devices, room, ..Self::default() }
    }

    /// Notes a reading; when it is not a repeat it gets the place `offset`.
    pub fn take(&mut self, key: &Key, reading: Reading, offset: i64, at_ms: i64) -> Said {
        let Some(device) = self.devices.get_mut(key) else { return self.welcome(key, reading, offset, at_ms) };
        self.touched.insert(key.clone());
        // The clocks of two nodes differ.
        device.last_ms = device.last_ms.max(at_ms);
        if device.digest == reading.digest {
            device.repeats += 1;
            let again = self.again.entry(device.offset).or_default();
            *again = Again { times: again.times + 1, last_ms: again.last_ms.max(at_ms) };
            return Said::Again(device.offset);
        }
        (device.name, device.kind, device.value, device.unit) =
            (reading.name, reading.kind, reading.value, reading.unit);
        (device.digest, device.offset, device.repeats, device.changed_ms) = (reading.digest, offset, 0, at_ms);
        Said::Changed
    }

    fn welcome(&mut self, key: &Key, reading: Reading, offset: i64, at_ms: i64) -> Said {
        let Some(room) = self.room.checked_sub(1) else { return Said::TooMany };
        self.room = room;
        let Reading { name, kind, value, unit, digest, .. } = reading;
        let (first_ms, changed_ms, last_ms) = (at_ms, at_ms, at_ms);
        let device = Device {
            id: offset,
            key: key.clone(),
            name,
            kind,
            value,
            unit,
            digest,
            offset,
            repeats: 0,
            first_ms,
            changed_ms,
            last_ms,
        };
        self.devices.insert(key.clone(), device);
        self.touched.insert(key.clone());
        Said::First
    }

    /// The id of a device that is known by now.
    #[must_use]
    pub fn id(&self, key: &Key) -> Option<i64> {
        self.devices.get(key).map(|device| device.id)
    }

    /// The devices that a reading was noted of, in the order of their ids, and which events were repeated.
    #[must_use]
    pub fn into_news(mut self) -> (Vec<Device>, BTreeMap<i64, Again>) {
        let mut touched: Vec<_> = self.touched.iter().filter_map(|key| self.devices.remove(key)).collect();
        touched.sort_unstable_by_key(|device| device.id);
        (touched, self.again)
    }
}
