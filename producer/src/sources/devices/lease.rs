//! Of several producers on one database one reads a source: the one that holds its lease.

use std::time::Duration;

use tokio::time::sleep;

use super::status::Status;
use crate::{App, service::devices::lease};

/// When the one that reads dies, another one begins after this time.
const TERM: Duration = Duration::from_secs(10);
const RENEWAL: Duration = Duration::from_secs(3);

/// The right to read one source.
pub struct Lease {
    app: App,
    source: String,
    /// Until when it is held; 0: it is not. No two holders ever have the same time, so this also tells who holds it.
    until_us: i64,
}

impl Lease {
    pub fn new(app: App, source: &str) -> Self {
        Self { app, source: source.to_owned(), until_us: 0 }
    }

    /// Waits until it is held; `true`: it was not held until now.
    pub async fn wait(&mut self) -> bool {
        let held = self.until_us;
        let mut was_lost = held == 0;
        while !self.take().await {
            was_lost = true;
            self.app.devices.change(&self.source, Status::stand_by);
            sleep(RENEWAL).await;
        }
        was_lost
    }

    /// Renews it; returns when another one has it. While the database does not answer nobody can take it, and what is read waits to be stored.
    pub async fn keep(&mut self) {
        loop {
            sleep(RENEWAL).await;
            if !self.take().await && self.until_us == 0 {
                return;
            }
        }
    }

    /// Lets another one have it at once.
    pub async fn release(&self) {
        if self.until_us > 0
            && let Err(error) = lease::give(&self.app, &self.source, self.until_us).await
        {
            tracing::debug!(%error, source = self.source, "the lease runs out by itself");
        }
    }

    /// `false`: another one has it, or the database does not answer.
    async fn take(&mut self) -> bool {
        match lease::take(&self.app, &self.source, (self.until_us, TERM)).await {
            Ok(Some(until_us)) => {
                self.until_us = until_us;
                true
            }
            Ok(None) => {
                self.until_us = 0;
                false
            }
            Err(error) => {
                self.app.store.db.failed(&error, "cannot ask for the lease of a source");
                false
            }
        }
    }
}
