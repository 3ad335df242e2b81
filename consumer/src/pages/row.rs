//! An event as a row of a list.

use common::page::{Stamp, grouped};

use crate::event::{Event, Rank};

/// How a priority is shown: a colour by its class, and a symbol for who does not see the colour.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    pub class: &'static str,
    pub symbol: &'static str,
    pub word: &'static str,
}

pub const LOOKS: [Look; 5] = [
    Look { class: "low", symbol: "▽", word: "Low" },
    Look { class: "moderate", symbol: "◇", word: "Moderate" },
    Look { class: "major", symbol: "△", word: "Major" },
    Look { class: "critical", symbol: "◆", word: "Critical" },
    Look { class: "other", symbol: "○", word: "Other" },
];

pub fn look(rank: Rank) -> Look {
    LOOKS[rank.index()]
}

pub struct EventRow {
    pub href: String,
    pub at: Stamp,
    pub rank: Look,
    pub title: String,
    /// A device said how things stand, not that something changed.
    pub snapshot: bool,
    /// How often it came again, and when it last did.
    pub again: Option<(String, Stamp)>,
    /// The batch of a task, the source of anything else.
    pub origin: String,
    /// The offset, grouped.
    pub number: String,
}

impl EventRow {
    pub fn of(event: &Event, now_ms: i64) -> Self {
        let summary = event.summary();
        let origin = match &summary.task {
            Some(task) => format!("batch {}", task.batchid.chars().take(6).collect::<String>()),
            None => event.source.to_string(),
        };
        Self {
            href: format!("/events/@{}", event.offset),
            at: Stamp::of(event.received_ms, now_ms),
            rank: look(event.rank),
            title: summary.title,
            snapshot: summary.snapshot,
            again: event.repeated_ms.map(|at_ms| (grouped(event.repeats), Stamp::of(at_ms, now_ms))),
            origin,
            number: grouped(event.offset),
        }
    }
}
