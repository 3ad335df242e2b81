//! What every connection of a device has, whoever it is served by: its commands in order, what it reports, and how it leaves.

use std::collections::VecDeque;

use common::{db::Db, time::now_ms};
use tokio::sync::mpsc;

use crate::{
    App,
    actions::targets::Target,
    store::actions::{
        commands::{self, Command, News, Report},
        devices::{self, Device},
        emergencies::{self, Emergency},
    },
};

/// The commands of one connection: those that wait in the table, then those that come.
pub struct Orders {
    device: String,
    /// The last command that the device did: what it acknowledged after that is given again.
    did: i64,
    reached: i64,
    waiting: VecDeque<Command>,
    is_caught_up: bool,
    line: mpsc::Receiver<Command>,
}

impl Orders {
    /// Over the line that [`super::Fleet::join`] opened.
    pub fn new(device: &str, did: i64, line: mpsc::Receiver<Command>) -> Self {
        Self { device: device.to_owned(), did, reached: 0, waiting: VecDeque::new(), is_caught_up: false, line }
    }

    /// Waits for the next command; `None`: the line was closed. To stop waiting loses nothing.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn next(&mut self, db: &Db) -> sqlx::Result<Option<Command>> {
        if self.waiting.is_empty() && !self.is_caught_up {
            let some = commands::waiting(db, &self.device, self.reached, (self.did, now_ms())).await?;
            self.is_caught_up = some.is_empty();
            self.waiting = some.into();
        }
        if let Some(command) = self.waiting.pop_front() {
            self.reached = command.number;
            return Ok(Some(command));
        }
        loop {
            // What waited is given already; what came in the meantime is in both.
            match self.line.recv().await {
                Some(command) if command.number <= self.reached => {}
                other => return Ok(other),
            }
        }
    }
}

/// The last word on emergencies that means the device and still holds: a short one that is over does not end a longer one. When all are over, the last
/// that was said; `None`: nothing ever was.
///
/// # Errors
/// When the database fails.
pub async fn last_word(db: &Db, device: &Device) -> sqlx::Result<Option<Emergency>> {
    let words = emergencies::all(db).await?;
    let means = |target: &str| serde_json::from_str::<Target>(target).is_ok_and(|target| target.means(device));
    let mut words: Vec<Emergency> = words.into_iter().filter(|word| means(&word.target)).collect();
    let holds = |word: &Emergency| word.parameters.is_none() || is_lasting(word);
    let place = words.iter().position(holds).unwrap_or(0);
    Ok((place < words.len()).then(|| words.swap_remove(place)))
}

/// Whether there is an emergency by this word, now.
pub fn is_lasting(word: &Emergency) -> bool {
    word.parameters.is_some() && word.until_ms.is_none_or(|until_ms| until_ms > now_ms())
}

/// What a connection of the device says of a command, now.
pub fn report((device, session): (&str, &str), number: i64, news: News) -> Report {
    Report { device: device.to_owned(), number, session: session.to_owned(), at_ms: now_ms(), news }
}

/// The connection is gone.
pub async fn leave(app: &App, device: &str, session: &str) {
    app.fleet.leave(device, session);
    if let Err(error) = devices::leave(&app.db, device, session, now_ms()).await {
        tracing::debug!(%error, "that a device left is not stored; it will be believed in a moment");
    }
    app.fleet.moved();
}
