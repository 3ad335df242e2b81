//! From readings to events: what a source says is looked through for changes, and these are triggered.

use std::{
    sync::{MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::{Instant, sleep, sleep_until};

use super::{
    board::Known,
    changes::Changes,
    file::Source,
    reading::Reading,
    rules::Rules,
    status::{Failing, Status},
};
use crate::{
    App,
    trigger::{self, Event, Registration},
};

/// Devices of one event; a receiver takes no more than 1000 events in one body.
const MOST_DEVICES: usize = 500;
/// Between two tries to store an event.
const STORE_WAIT: Duration = Duration::from_secs(1);

/// What one source's task has in hand.
pub struct Feed {
    app: App,
    source: String,
    registration: Registration,
    rules: Rules,
    known: Known,
}

impl Feed {
    /// Puts the source on the board.
    pub fn new(app: App, source: &Source, registration: Registration) -> Self {
        let known = app.devices.enter(source, &registration.id);
        Self { app, source: source.name.clone(), registration, rules: source.rules.clone(), known }
    }

    pub fn source(&self) -> &str {
        &self.source
    }

    /// Differs between any two that do not share a database.
    pub fn installation(&self) -> &str {
        &self.app.installation
    }

    /// Everything that is read next is new again.
    pub fn forget(&mut self) {
        *self.changes() = Changes::new(self.rules.clone());
    }

    pub fn connected(&self) {
        self.app.devices.change(&self.source, Status::connected);
    }

    /// Keeps the error; gives whether it was connected until now.
    pub fn disconnected(&self, error: &anyhow::Error) -> bool {
        self.app.devices.change(&self.source, |status| status.failed(&format!("{error:#}")))
    }

    /// Something is wrong, and reading goes on.
    pub fn complain(&self, error: &str) {
        self.app.devices.change(&self.source, |status| status.complain(error));
    }

    /// What of the source is silent behind a connection that stands.
    pub fn stale(&self, circuits: Vec<String>) {
        self.app.devices.change(&self.source, |status| status.stale = circuits);
    }

    /// What cannot be read, over a connection that stands.
    pub fn failing(&self, failing: Vec<Failing>) {
        self.app.devices.change(&self.source, |status| status.fail(failing));
    }

    /// Takes what was read; returns when the changes are stored.
    pub async fn take(&mut self, readings: Vec<Reading>) {
        let count = readings.len();
        self.app.devices.change(&self.source, |status| status.read(count));
        let objects = self.changes().take(readings, Instant::now());
        self.send(&objects).await;
    }

    /// Waits until [`Self::tell_due`] has something to tell.
    pub fn due(&self) -> impl Future<Output = ()> + use<> {
        let due = self.changes().next_due();
        async move {
            match due {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        }
    }

    /// Tells what came too soon before, and heartbeats.
    pub async fn tell_due(&mut self) {
        let objects = self.changes().due(Instant::now());
        self.send(&objects).await;
    }

    fn changes(&self) -> MutexGuard<'_, Changes> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Triggers an event with the objects, several when they are many.
    async fn send(&self, objects: &[String]) {
        for some in objects.chunks(MOST_DEVICES) {
            self.store(&format!("[{}]", some.join(", "))).await;
            self.app.devices.change(&self.source, |status| status.changed(some.len()));
        }
    }

    /// Stores the event, however long the database is away: a change that was seen is not lost while this process lives.
    async fn store(&self, data: &str) {
        loop {
            let event = Event { registration: self.registration.clone(), data: Some(data.to_owned()), key: None };
            let Err(error) = trigger::fire(&self.app, event).await else { return };
            self.app.store.db.failed(&error, "cannot store a change of a device");
            self.complain(&format!("cannot store a change: {error}"));
            sleep(STORE_WAIT).await;
        }
    }
}
