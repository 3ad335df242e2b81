//! Devices with Evok: the state of all devices, then every change. The socket stays open while the Modbus line behind it is dead.

use std::{convert::Infallible, time::Duration};

use anyhow::{Context, ensure};
use common::{
    evok::{
        self, Connection,
        reading::{self, Reading},
    },
    yaml::time,
};
use serde::{Deserialize, Deserializer, de};
use tokio::time::{MissedTickBehavior, interval};
use url::Url;

use super::feed::Feed;

/// A device with Evok.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evok {
    /// `ws://HOST:8080/ws`.
    #[serde(deserialize_with = "url")]
    pub url: Url,
    /// Between two pings; with each, the state of all devices is asked for again.
    #[serde(default = "ping_interval", deserialize_with = "time")]
    pub ping_interval: Duration,
    /// A Modbus slave that was silent for longer is stale.
    #[serde(default = "stale_after", deserialize_with = "time")]
    pub stale_after: Duration,
}

const fn ping_interval() -> Duration {
    Duration::from_secs(15)
}

const fn stale_after() -> Duration {
    Duration::from_mins(1)
}

fn url<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|error| de::Error::custom(format!("{text:?} is no address: {error}")))
}

impl Evok {
    /// Checks what no single key shows; the error says what to write instead.
    pub fn check(self) -> Result<Self, String> {
        evok::check_url(&self.url).map_err(|error| format!("evok.url: {error}"))?;
        if self.ping_interval.is_zero() || self.stale_after.is_zero() {
            return Err("evok: ping_interval and stale_after must be above 0".into());
        }
        Ok(self)
    }
}

/// Connects, takes the state of all devices, and then every change, until the connection fails.
///
/// The state is asked for again with each ping: it alone tells how long a Modbus slave has been silent.
///
/// # Errors
/// Why the connection ended.
pub async fn session(evok: &Evok, feed: &mut Feed) -> anyhow::Result<Infallible> {
    let mut connection = Connection::open(&evok.url).await?;
    connection.ask_all().await?;
    let mut ping = interval(evok.ping_interval);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ping.tick().await;
    let (mut alive, mut greeted) = (true, false);
    loop {
        tokio::select! {
            // While changes are stored slowly the pong waits behind them: what is here already is read before anything is held against the device.
            biased;
            () = feed.due() => feed.tell_due().await,
            message = connection.next() => {
                alive = true;
                if let Some(text) = message? {
                    if !std::mem::replace(&mut greeted, true) {
                        feed.connected();
                    }
                    take(evok, feed, &text).await;
                }
            },
            _ = ping.tick() => {
                ensure!(alive, "no answer to a ping within {:?}", evok.ping_interval);
                alive = false;
                connection.ping().await?;
                connection.ask_all().await?;
            }
        }
    }
}

/// Connects once and gives every device.
///
/// # Errors
/// When it cannot be reached, or does not answer.
pub async fn look(evok: &Evok) -> anyhow::Result<Vec<Reading>> {
    let all = Connection::open(&evok.url).await?.all().await?;
    let readings = reading::parse(&all).context("the answer is not JSON")?;
    Ok(readings.into_iter().map(|reading| marked(reading, evok.stale_after)).collect())
}

/// Hands a message on; one that cannot be read costs nothing but itself.
async fn take(evok: &Evok, feed: &mut Feed, message: &str) {
    match reading::parse(message) {
        Ok(readings) => {
            let readings: Vec<Reading> =
                readings.into_iter().map(|reading| marked(reading, evok.stale_after)).collect();
            if readings.iter().any(|reading| reading.dev == SLAVE) {
                let stale = readings.iter().filter(|reading| reading.rest.contains_key(STALE));
                feed.stale(stale.map(|reading| reading.circuit.clone()).collect());
            }
            feed.take(readings).await;
        }
        Err(error) => feed.complain(&format!("a message that is not JSON: {error}")),
    }
}

const SLAVE: &str = "modbus_slave";
const STALE: &str = "stale";

/// A Modbus slave that has been silent for too long gets the member `stale`; 2147483647 seconds are Evok's word for never.
fn marked(reading: Reading, stale_after: Duration) -> Reading {
    #[derive(Deserialize)]
    struct Slave {
        last_comm: Option<f64>,
    }
    let silent = |slave: Slave| slave.last_comm.is_some_and(|seconds| seconds > stale_after.as_secs_f64());
    let is_stale = reading.dev == SLAVE && serde_json::from_str(&reading.object).is_ok_and(silent);
    if is_stale { reading.with(STALE, "true") } else { reading }
}
