//! Looks whether endpoints that refuse connections listen again, so that a consumer that was away is caught up at once.

use std::{sync::Arc, time::Instant};

use common::time::now_ms;

use super::{
    Worker,
    sweep::{self, Sweep},
};
use crate::store;

impl Worker {
    /// Looks at those whose time it is; they are looked for although nothing is due there.
    pub(super) async fn probe(self: &Arc<Self>, sweep: &mut Sweep) -> store::Result<()> {
        let now = Instant::now();
        if !sweep.time_to_probe(now, self.app.settings.probe_interval) {
            return Ok(());
        }
        let unreachable = self.app.store.unreachable(sweep::PAGE).await?;
        sweep.some_unreachable(!unreachable.is_empty());
        for (endpoint, url) in unreachable {
            if self.paces.time_to_probe(&endpoint, now) {
                let worker = Arc::clone(self);
                self.tasks.spawn(async move {
                    let stopping = worker.app.stop.clone();
                    if stopping.run_until_cancelled(worker.sender.listens(&url)).await == Some(true) {
                        worker.is_up(&endpoint).await;
                    }
                });
            }
        }
        Ok(())
    }

    async fn is_up(&self, endpoint: &str) {
        match self.app.store.endpoint_is_up(endpoint, now_ms()).await {
            Ok(pulled) => {
                tracing::debug!(endpoint.id = endpoint, pulled, "it listens again");
                self.app.work.notify_one();
            }
            Err(error) => self.app.store.db.failed(&error, "cannot pull retries forward"),
        }
    }
}
