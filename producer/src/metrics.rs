//! What `/metrics` counts.

use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcome {
    outcome: &'static str,
}

/// The counters of one app; no process-wide state.
pub struct Metrics {
    registry: Registry,
    attempts: Family<Outcome, Counter>,
    duration_seconds: Histogram,
    tasks: Counter,
    waiting: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Metrics {
    #[must_use]
    pub fn new() -> Self {
        let mut registry = Registry::with_prefix("hookcast_producer");
        let attempts = Family::default();
        registry.register("attempts", "Attempts made, by what they came to", attempts.clone());
        let duration_seconds = Histogram::new([0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0]);
        registry.register(
            "attempt_duration_seconds",
            "Time from sending to the end of the answer",
            duration_seconds.clone(),
        );
        let tasks = Counter::default();
        registry.register("tasks", "Tasks put in the queue", tasks.clone());
        let waiting = Gauge::default();
        registry.register("deliveries_waiting", "Deliveries that are not final yet", waiting.clone());
        Self { registry, attempts, duration_seconds, tasks, waiting }
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one attempt are far below 2^52")]
    pub fn attempted(&self, outcome: &'static str, duration_ms: i64) {
        self.attempts.get_or_create(&Outcome { outcome }).inc();
        self.duration_seconds.observe(duration_ms as f64 / 1000.0);
    }

    pub fn queued(&self, tasks: usize) {
        self.tasks.inc_by(u64::try_from(tasks).unwrap_or(u64::MAX));
    }

    /// What is registered; `waiting` was counted just now.
    pub fn registry(&self, waiting: i64) -> &Registry {
        self.waiting.set(waiting);
        &self.registry
    }
}
