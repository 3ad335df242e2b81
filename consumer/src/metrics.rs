//! What `/metrics` tells of the consumer.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use crate::{event::Event, guards::Kind};

/// A label of one name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct PriorityLabel {
    priority: &'static str,
}

/// The status that a webhook was answered with.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct StatusLabel {
    status: u16,
}

/// Why a webhook was not let in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct ReasonLabel {
    reason: &'static str,
}

/// The namespace that a socket is in.
#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
pub struct NamespaceLabel {
    pub namespace: &'static str,
}

/// The figures; one set an App, so that two run in one process.
#[derive(Debug)]
pub struct Metrics {
    pub registry: Registry,
    pub sockets: Family<NamespaceLabel, Gauge>,
    pub head: Gauge,
    events: Family<PriorityLabel, Counter>,
    requests: Family<StatusLabel, Counter>,
    rejected: Family<ReasonLabel, Counter>,
    ok: Counter<u64, AtomicU64>,
    commit_seconds: Histogram,
    commit_events: Histogram,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("hookcast_consumer");
        let (sockets, events, requests) =
            (Family::default(), Family::default(), Family::<StatusLabel, Counter>::default());
        let rejected = Family::<ReasonLabel, Counter>::default();
        registry.register("rejected", "Webhooks that were not let in, by the kind of reason", rejected.clone());
        let (head, ok) = (Gauge::default(), requests.get_or_create(&StatusLabel { status: 200 }).clone());
        let commit_seconds = Histogram::new(exponential_buckets(0.000_25, 2.0, 14));
        let commit_events = Histogram::new(exponential_buckets(1.0, 2.0, 12));
        registry.register("events", "Events committed to the log", Family::clone(&events));
        registry.register("requests", "Webhooks received, by the status they were answered with", requests.clone());
        registry.register("commit_seconds", "Time of one commit", commit_seconds.clone());
        registry.register("commit_events", "Events of one commit", commit_events.clone());
        registry.register("sockets", "Connected sockets by namespace", Family::clone(&sockets));
        registry.register("head_offset", "Offset of the newest event this node has seen", head.clone());
        Self { registry, sockets, head, events, requests, rejected, ok, commit_seconds, commit_events }
    }
}

impl Metrics {
    /// Counts a commit.
    pub fn committed(&self, stored: &[Arc<Event>], took: Duration) {
        self.commit_seconds.observe(took.as_secs_f64());
        self.commit_events.observe(f64::from(u32::try_from(stored.len()).unwrap_or(u32::MAX)));
        let mut tally = [0; 5];
        for event in stored {
            tally[event.rank.index()] += 1;
        }
        for (rank, count) in crate::event::Rank::ALL.into_iter().zip(tally) {
            self.events.get_or_create(&PriorityLabel { priority: rank.as_str() }).inc_by(count);
        }
    }

    /// Counts a webhook that was not let in.
    pub fn rejected(&self, kind: Kind) {
        self.rejected.get_or_create(&ReasonLabel { reason: kind.as_str() }).inc();
    }

    /// Counts a webhook's answer.
    pub fn answered(&self, status: u16) {
        if status == 200 {
            self.ok.inc();
        } else {
            self.requests.get_or_create(&StatusLabel { status }).inc();
        }
    }
}
