//! What triggers hand over, leased to this process from the beginning.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio_util::sync::CancellationToken;

use super::{Worker, ms, paces::Paces};
use crate::{
    hand::Hands,
    store::{endpoints::Waiting, queue::Claimed},
};

/// What has not got its turn by then goes back into the queue: its lease is only so much longer than an attempt.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Deliveries with their lines, and when the store said that of these.
pub type Leased = (Vec<(Waiting, Claimed)>, Instant);

/// The side of it that triggers see.
pub struct Taker {
    pub holder: String,
    pub lease: Duration,
    pub paces: Arc<Paces>,
    pub stop: CancellationToken,
    /// Bounded by the places.
    pub worker: UnboundedSender<Leased>,
}

impl Hands for Taker {
    fn lease(&self, now_ms: i64) -> (String, i64) {
        (self.holder.clone(), now_ms + ms(self.lease))
    }

    fn reserve(&self, lines: &[Option<&str>], now_ms: i64) -> Vec<bool> {
        if self.stop.is_cancelled() { vec![false; lines.len()] } else { self.paces.reserve(lines, now_ms) }
    }

    fn free(&self, line: &str) {
        self.paces.free(line);
    }

    fn take(&self, leased: Vec<(Waiting, Claimed)>, read_at: Instant) {
        // When the worker has ended, the leases end by themselves.
        let _ = self.worker.send((leased, read_at));
    }
}

impl Worker {
    pub(super) fn taker(&self, worker: UnboundedSender<Leased>) -> Taker {
        let (holder, paces, stop) = (self.holder.clone(), Arc::clone(&self.paces), self.app.stop.clone());
        Taker { holder, lease: self.lease, paces, stop, worker }
    }

    /// Begins to send what is handed over, until the app stops.
    pub(super) async fn take_handed(self: Arc<Self>, mut handed: UnboundedReceiver<Leased>) {
        while let Some(Some((leased, read_at))) = self.app.stop.run_until_cancelled(handed.recv()).await {
            for (line, claimed) in leased {
                self.tasks.spawn(Arc::clone(&self).deliver((Arc::new(line), read_at), vec![claimed]));
            }
        }
    }
}
