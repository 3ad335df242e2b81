//! MQTT: what is said on the topics of a broker.
//!
//! The broker keeps a session: with `QoS` 1 it sends again what was not acknowledged, and later what was said while nobody listened. A message is
//! acknowledged when the change it says is stored. What is retained comes at each subscription, and is the state of all devices.

mod broker;
mod keys;
mod payload;
mod taken;
mod topic;
mod unipi;

use std::{collections::BTreeMap, convert::Infallible, time::Duration};

use anyhow::{anyhow, bail};
use rumqttc::{AsyncClient, Publish};
use tokio::{
    sync::mpsc,
    time::{sleep, timeout},
};

use super::{feed::Feed, kind::Seen, reading::Reading, status::Failing};
use broker::News;
pub use keys::Mqtt;
use keys::Topic;
use taken::Taken;

/// Messages that wait for the database; further ones wait in the broker.
const MOST_WAITING: usize = 1000;
/// Messages whose changes are stored together.
const MOST_AT_ONCE: usize = 200;
/// What is retained comes at once; after this silence it was all.
const QUIET: Duration = Duration::from_millis(500);
const LONGEST_LOOK: Duration = Duration::from_secs(15);

/// Connects, subscribes, and takes what is said until the connection fails.
///
/// # Errors
/// Why the connection ended.
pub async fn session(mqtt: &mut Mqtt, feed: &mut Feed) -> anyhow::Result<Infallible> {
    let usual = || format!("hookcast-{}-{}", feed.source(), feed.installation());
    let client_id = mqtt.client_id.clone().unwrap_or_else(usual);
    let mut taken = std::mem::take(&mut mqtt.taken);
    let (client, connection) = broker::open(mqtt, (&client_id, true))?;
    let (sender, news) = mpsc::channel(MOST_WAITING);
    // What was handed on is stored to its end when the connection ends: a change that was seen is told.
    let (ended, ()) = tokio::join!(
        broker::listen(mqtt, &client, connection, sender),
        take_all(feed, news, (&mqtt.topics, &client, &mut taken))
    );
    mqtt.taken = taken;
    ended
}

/// Connects once and takes what is retained.
///
/// # Errors
/// When it cannot be reached, or lets no topic be subscribed to.
pub async fn look(mqtt: &Mqtt) -> anyhow::Result<Seen> {
    let client_id = format!("hookcast-look-{}", uuid::Uuid::new_v4().simple());
    let (client, connection) = broker::open(mqtt, (&client_id, false))?;
    let (sender, mut news) = mpsc::channel(MOST_WAITING);
    tokio::select! {
        ended = broker::listen(mqtt, &client, connection, sender) => match ended {
            Err(error) => Err(error),
            Ok(never) => match never {},
        },
        seen = timeout(LONGEST_LOOK, retained(mqtt, &mut news)) => seen.map_err(|_| anyhow!("the broker does not answer in time"))?,
    }
}

async fn retained(mqtt: &Mqtt, news: &mut mpsc::Receiver<News>) -> anyhow::Result<Seen> {
    let (mut seen, mut devices) = (Seen::default(), BTreeMap::new());
    let mut is_subscribed = false;
    loop {
        let quiet = async { if is_subscribed { sleep(QUIET).await } else { std::future::pending().await } };
        tokio::select! {
            told = news.recv() => match told {
                Some(News::Subscribed { refused }) => {
                    seen.failing = failing(refused);
                    is_subscribed = true;
                }
                Some(News::Message(message)) => {
                    let readings = payload::readings(&mqtt.topics, &message.topic, &message.payload);
                    let keyed = |reading: Reading| ((reading.dev.clone(), reading.circuit.clone()), reading);
                    devices.extend(readings.unwrap_or_default().into_iter().map(keyed));
                }
                Some(News::Connected { .. }) => {}
                None => bail!("the connection ended"),
            },
            () = quiet => break,
        }
    }
    seen.readings = devices.into_values().collect();
    Ok(seen)
}

fn failing(refused: Vec<String>) -> Vec<Failing> {
    let error = "the broker does not let us subscribe to it; look at its access list";
    refused.into_iter().map(|device| Failing { device, error: error.into() }).collect()
}

/// Takes what is handed on until that ends.
async fn take_all(
    feed: &mut Feed,
    mut news: mpsc::Receiver<News>,
    (topics, client, taken): (&[Topic], &AsyncClient, &mut Taken),
) {
    let mut some = Vec::with_capacity(MOST_AT_ONCE);
    loop {
        tokio::select! {
            count = news.recv_many(&mut some, MOST_AT_ONCE) => {
                if count == 0 {
                    return;
                }
                let messages = heard(feed, taken, some.drain(..));
                take(feed, topics, (&messages, client)).await;
            }
            () = feed.due() => feed.tell_due().await,
        }
    }
}

/// Keeps the messages, each with whether it is new.
fn heard(feed: &Feed, taken: &mut Taken, news: impl Iterator<Item = News>) -> Vec<(Publish, bool)> {
    let mut messages = Vec::new();
    for told in news {
        match told {
            News::Connected { is_resumed } => {
                if !is_resumed {
                    taken.forget();
                }
            }
            News::Subscribed { refused } => {
                feed.connected();
                feed.failing(failing(refused));
            }
            News::Message(message) => {
                let is_new = taken.add(&message);
                messages.push((message, is_new));
            }
        }
    }
    messages
}

/// Returns when the changes are stored and the messages acknowledged.
async fn take(feed: &mut Feed, topics: &[Topic], (messages, client): (&[(Publish, bool)], &AsyncClient)) {
    let mut readings = Vec::new();
    for (message, _) in messages.iter().filter(|(_, is_new)| *is_new) {
        match payload::readings(topics, &message.topic, &message.payload) {
            Ok(some) => readings.extend(some),
            Err(error) => feed.complain(&format!("{}: {error}", message.topic)),
        }
    }
    if !readings.is_empty() {
        feed.take(readings).await;
    }
    for (message, _) in messages {
        // The connection may be gone; then it comes again.
        let _ = client.ack(message).await;
    }
}

#[cfg(test)]
mod fuzz;
