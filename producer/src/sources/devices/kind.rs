//! What can be read: a kind of source more is a line more in each of these.

use std::convert::Infallible;

use super::{
    evok::{self, Evok},
    feed::Feed,
    host::{self, Host},
    modbus::{self, Modbus},
    mqtt::{self, Mqtt},
    reading::Reading,
    status::Failing,
};

/// Where the readings come from.
#[derive(Clone, Debug)]
pub enum Kind {
    Evok(Evok),
    Host(Host),
    Modbus(Modbus),
    Mqtt(Mqtt),
}

/// What is seen at a look.
#[derive(Debug, Default)]
pub struct Seen {
    pub readings: Vec<Reading>,
    /// What was asked for and could not be read.
    pub failing: Vec<Failing>,
}

impl Kind {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Evok(_) => "evok",
            Self::Host(_) => "host",
            Self::Modbus(_) => "modbus",
            Self::Mqtt(_) => "mqtt",
        }
    }

    /// Checks what no single key shows; the error says what to write instead.
    pub fn check(self) -> Result<Self, String> {
        match self {
            Self::Evok(evok) => evok.check().map(Self::Evok),
            Self::Host(host) => host.check().map(Self::Host),
            Self::Modbus(modbus) => modbus.check().map(Self::Modbus),
            Self::Mqtt(mqtt) => mqtt.check().map(Self::Mqtt),
        }
    }

    /// Reads until something fails.
    ///
    /// # Errors
    /// What failed.
    pub async fn session(&mut self, feed: &mut Feed) -> anyhow::Result<Infallible> {
        match self {
            Self::Evok(evok) => evok::session(evok, feed).await,
            Self::Host(host) => host::session(host, feed).await,
            Self::Modbus(modbus) => modbus::session(modbus, feed).await,
            Self::Mqtt(mqtt) => mqtt::session(mqtt, feed).await,
        }
    }

    /// Connects once and reads what is there.
    ///
    /// # Errors
    /// When it cannot be reached, or does not answer.
    pub async fn look(&self) -> anyhow::Result<Seen> {
        match self {
            Self::Evok(evok) => evok::look(evok).await.map(Seen::of),
            Self::Host(_) => host::look().await.map(Seen::of),
            Self::Modbus(modbus) => modbus::look(modbus).await,
            Self::Mqtt(mqtt) => mqtt::look(mqtt).await,
        }
    }
}

impl Seen {
    const fn of(readings: Vec<Reading>) -> Self {
        Self { readings, failing: Vec::new() }
    }
}
