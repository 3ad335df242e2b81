//! From a trigger straight into the worker's hands: what a quick and idle line gets is stored as leased to this process, and sent without being claimed.

use std::{
    sync::{Arc, OnceLock},
    time::Instant,
};

use crate::store::{endpoints::Waiting, queue::Claimed, triggered::NewEvent};

/// The worker, as a trigger sees it.
pub trait Hands: Send + Sync {
    /// Who holds what is leased from now on, and until when.
    fn lease(&self, now_ms: i64) -> (String, i64);
    /// Takes a place on each of these lines where nothing is under way and the last answer came quickly; says which.
    fn reserve(&self, lines: &[Option<&str>], now_ms: i64) -> Vec<bool>;
    /// Gives a place back.
    fn free(&self, line: &str);
    /// Sends these, each at its place; of the lines is known what the store said at `read_at`.
    fn take(&self, leased: Vec<(Waiting, Claimed)>, read_at: Instant);
}

/// The worker of this process; while none runs, everything goes through the queue.
#[derive(Clone, Default)]
pub struct Hand(Arc<OnceLock<Box<dyn Hands>>>);

impl Hand {
    /// Names the worker, once.
    pub fn set(&self, hands: Box<dyn Hands>) {
        let _ = self.0.set(hands);
    }

    /// Takes places for the event's deliveries, as far as there are, and marks those; its subscribers were read at `read_at`.
    pub fn reserve(&self, new: &mut NewEvent, read_at: Instant) -> Option<Reserved> {
        let hands = self.0.get()?;
        let lines: Vec<_> = new.subscribers.iter().map(|one| one.free_line(new.max_failed_count)).collect();
        let taken = hands.reserve(&lines, new.now_ms);
        let lines: Vec<String> = lines
            .iter()
            .zip(&taken)
            .filter(|(_, taken)| **taken)
            .filter_map(|(line, _)| line.map(str::to_owned))
            .collect();
        if lines.is_empty() {
            return None;
        }
        for (subscriber, taken) in new.subscribers.iter_mut().zip(taken) {
            subscriber.at_once = taken;
        }
        new.lease = Some(hands.lease(new.now_ms));
        Some(Reserved { hand: self.clone(), lines, read_at })
    }
}

/// Places that wait for what is being stored; given back if that comes to nothing.
pub struct Reserved {
    hand: Hand,
    lines: Vec<String>,
    read_at: Instant,
}

impl Reserved {
    /// Fills the places with what was stored.
    pub fn fill(mut self, leased: Vec<(Waiting, Claimed)>) {
        self.lines.clear();
        if let Some(hands) = self.hand.0.get() {
            hands.take(leased, self.read_at);
        }
    }
}

impl Drop for Reserved {
    fn drop(&mut self) {
        if let Some(hands) = self.hand.0.get() {
            self.lines.iter().for_each(|line| hands.free(line));
        }
    }
}
