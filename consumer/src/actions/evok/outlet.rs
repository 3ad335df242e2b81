//! The outputs behind a connection: what was read of them last, and how one is set so that it is known to be set.

use std::{collections::HashMap, time::Duration};

use common::evok::{
    Connection,
    reading::{self, Reading},
};
use serde_json::Number;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use crate::actions::outputs::{can_be_named, is_as_set, names};

/// Evok answers `set` with nothing: what is read within this time tells.
const CONFIRMED_WITHIN: Duration = Duration::from_secs(5);
const ASK_AGAIN: Duration = Duration::from_millis(250);
/// Outputs that are kept of one controller; the largest Unipi has fewer than a hundred.
const MOST_KEPT: usize = 1000;
/// Outputs that a complaint names.
const MOST_NAMED: usize = 20;

/// An output as the controller calls it.
pub type Outlet = (String, String);

/// A connection, and what was read over it.
pub struct Outlets {
    connection: Connection,
    /// The number of each output; `None`: it is there, and was not read since it was set, or has no number.
    read: HashMap<Outlet, Option<f64>>,
    heard: bool,
}

impl Outlets {
    /// Reads everything for the first time.
    pub async fn read(mut connection: Connection) -> anyhow::Result<Self> {
        let all = connection.all().await?;
        let mut outlets = Self { connection, read: HashMap::new(), heard: true };
        outlets.take(&all);
        Ok(outlets)
    }

    /// Waits for a message and takes what it says. To stop waiting loses nothing.
    pub async fn hear(&mut self) -> anyhow::Result<()> {
        let message = self.connection.next().await?;
        self.heard = true;
        if let Some(text) = message {
            self.take(&text);
        }
        Ok(())
    }

    fn take(&mut self, message: &str) {
        match reading::parse(message) {
            Ok(readings) => {
                for reading in readings {
                    self.keep(reading);
                }
            }
            Err(error) => tracing::debug!(%error, "a controller said what is not JSON"),
        }
    }

    /// Keeps what a command can name, and no more: names come into what is told of commands.
    fn keep(&mut self, reading: Reading) {
        let (number, is_output) = (reading.number(), can_be_named(&reading.dev, &reading.circuit));
        let outlet = (reading.dev, reading.circuit);
        if is_output && (self.read.len() < MOST_KEPT || self.read.contains_key(&outlet)) {
            self.read.insert(outlet, number);
        }
    }

    /// Whether anything was heard since this was asked last.
    pub fn was_heard(&mut self) -> bool {
        std::mem::replace(&mut self.heard, false)
    }

    /// Asks for an answer, and for everything.
    pub async fn ask(&mut self) -> anyhow::Result<()> {
        self.connection.ping().await?;
        self.connection.ask_all().await
    }

    /// The output that is called so.
    ///
    /// # Errors
    /// Says which ones there are.
    pub fn find(&self, dev: &str, circuit: &str) -> Result<Outlet, String> {
        let called = names(dev).iter().map(|name| ((*name).to_owned(), circuit.to_owned()));
        called.into_iter().find(|outlet| self.read.contains_key(outlet)).ok_or_else(|| {
            let mut there: Vec<String> =
                self.read.keys().filter(|(name, _)| names(dev).contains(&name.as_str())).map(name_of).collect();
            there.sort_unstable();
            there.truncate(MOST_NAMED);
            let there = if there.is_empty() { "none of this kind".to_owned() } else { there.join(", ") };
            format!("the controller has no {dev} {circuit}; it has {there}")
        })
    }

    /// Whether the output was read so last.
    pub fn is(&self, outlet: &Outlet, value: &Number) -> bool {
        self.read.get(outlet).copied().flatten().is_some_and(|read| is_as_set(read, value))
    }

    /// For people: what was read of it last.
    pub fn told(&self, outlet: &Outlet) -> String {
        let name = name_of(outlet);
        self.read
            .get(outlet)
            .copied()
            .flatten()
            .map_or_else(|| format!("{name} was not read"), |read| format!("{name} reads {read}"))
    }

    /// Sets the output and waits until it reads so.
    ///
    /// # Errors
    /// When the connection broke: it is not known then. Inside, what is read instead.
    pub async fn set(&mut self, outlet: &Outlet, value: &Number) -> anyhow::Result<Result<(), String>> {
        self.read.insert(outlet.clone(), None);
        self.connection.set(&outlet.0, &outlet.1, value).await?;
        let end = Instant::now() + CONFIRMED_WITHIN;
        let mut again = interval(ASK_AGAIN);
        again.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.is(outlet, value) {
            tokio::select! {
                heard = self.hear() => heard?,
                _ = again.tick() => self.connection.ask_all().await?,
                () = sleep_until(end) => {
                    return Ok(Err(format!("{} {CONFIRMED_WITHIN:?} after it was set to {value}", self.told(outlet))));
                }
            }
        }
        Ok(Ok(()))
    }
}

/// `ro 1_01`.
pub fn name_of((dev, circuit): &Outlet) -> String {
    format!("{dev} {circuit}")
}
