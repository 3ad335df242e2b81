//! Which messages were taken already, when the broker sends them again because it did not hear that they were.

use std::{
    collections::VecDeque,
    hash::{DefaultHasher, Hash, Hasher},
};

use rumqttc::{Publish, QoS};

/// More than a broker sends before it waits for an answer, and far fewer than there are packet ids.
const MOST: usize = 1000;

/// The last messages that were taken: packet id, and what they said.
#[derive(Clone, Debug, Default)]
pub struct Taken(VecDeque<(u16, u64)>);

impl Taken {
    /// Whether this one is new; remembers it.
    ///
    /// Within a session a broker repeats a message with its packet id and the mark `dup` (MQTT 3.1.1, sections 3.3.1.1 and 4.4).
    pub fn add(&mut self, message: &Publish) -> bool {
        if message.qos == QoS::AtMostOnce {
            return true;
        }
        let mut hasher = DefaultHasher::new();
        (&message.topic, &message.payload).hash(&mut hasher);
        let this = (message.pkid, hasher.finish());
        if message.dup && self.0.iter().rev().find(|(id, _)| *id == message.pkid) == Some(&this) {
            return false;
        }
        if self.0.len() == MOST {
            self.0.pop_front();
        }
        self.0.push_back(this);
        true
    }

    /// The broker knows no session of ours: packet ids mean other messages from now on.
    pub fn forget(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_is_known_by_its_packet_id_and_what_it_says() {
        let message = |pkid, dup, payload: &str| {
            let mut message = Publish::new("a", QoS::AtLeastOnce, payload);
            (message.pkid, message.dup) = (pkid, dup);
            message
        };
        let mut taken = Taken::default();
        let steps = [
            (1, false, "on", true),
            (1, true, "on", false),
            (2, true, "on", true),
            (1, false, "off", true),
            (1, true, "on", true),
            (1, false, "on", true),
        ];
        for (place, (pkid, dup, payload, is_new)) in steps.into_iter().enumerate() {
            assert_eq!(taken.add(&message(pkid, dup, payload)), is_new, "step {place}");
        }
        taken.forget();
        assert!(taken.add(&message(1, true, "on")));
        let loose = Publish::new("a", QoS::AtMostOnce, "on");
        assert!(taken.add(&loose) && taken.add(&loose));
    }
}
