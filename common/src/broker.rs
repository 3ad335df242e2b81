//! News between processes through Redis pub/sub: a hurry, never the only copy of anything.
//!
//! Nothing here waits for Redis: what cannot be published is dropped, and who listens is told of a [`Heard::Gap`] and asks the database.

use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use anyhow::Context;
use bytes::Bytes;
use fred::{
    clients::Client,
    error::Error,
    interfaces::{ClientLike, EventInterface, PubsubInterface},
    types::{
        Builder,
        config::{Config, ReconnectPolicy},
    },
};
use tokio::{
    sync::{broadcast::error::RecvError, mpsc},
    time::{self, MissedTickBehavior},
};
use tokio_util::sync::CancellationToken;

/// How many messages may wait to be published, or to be taken by us, before some are dropped.
const QUEUE: usize = 1024;
/// fred's own queue of received messages; its default of 32 loses most of a burst.
const RECEIVED_QUEUE: usize = 16_384;
const COMMAND_TIMEOUT: Duration = Duration::from_secs(1);
const RECONNECT_MS: u32 = 200;
/// How often it is asked whether Redis answers, when there is nothing to send.
const HEARTBEAT: Duration = Duration::from_secs(2);
const SUBSCRIBE_AGAIN: Duration = Duration::from_secs(1);

/// What comes from the other processes.
#[derive(Debug)]
pub enum Heard {
    Message(Bytes),
    /// Something may have been missed: a reconnection, or more than could be taken.
    Gap,
}

/// One channel of one Redis.
#[derive(Clone, Debug)]
pub struct Broker {
    outgoing: mpsc::Sender<Bytes>,
    link: Arc<Link>,
}

/// How Redis stands with us. An outage is told of once, also one that was there before us, and its end too.
#[derive(Debug, Default)]
struct Link {
    up: AtomicBool,
    standing: Mutex<Standing>,
}

#[derive(Debug, Default)]
struct Standing {
    /// We are subscribed.
    hears: bool,
    /// What was sent last was answered: of a Redis that hangs nothing else tells.
    answers: bool,
    /// What was told last.
    told_up: Option<bool>,
}

impl Broker {
    /// Connects in the background, for as long as it takes, until `stop`; every process on the channel hears every message, this one too.
    ///
    /// # Errors
    /// When the URL cannot be understood. A Redis that is away is no error.
    pub fn connect(
        url: &str,
        channel: String,
        stop: &CancellationToken,
    ) -> anyhow::Result<(Self, mpsc::Receiver<Heard>)> {
        let (publisher, subscriber) = (client(url)?, client(url)?);
        let (outgoing, queued) = mpsc::channel(QUEUE);
        let (heard, incoming) = mpsc::channel(QUEUE);
        let broker = Self { outgoing, link: Arc::default() };
        tokio::spawn(publish(publisher, channel.clone(), queued, (broker.link.clone(), stop.clone())));
        tokio::spawn(listen(subscriber, channel, heard, (broker.link.clone(), stop.clone())));
        Ok((broker, incoming))
    }

    /// Sends without waiting; when Redis is away or slow the message is dropped.
    pub fn publish(&self, message: Bytes) {
        // What would wait for a Redis that is away is of no use when it is back, and takes memory until then.
        if !self.is_up() || self.outgoing.try_send(message).is_err() {
            tracing::debug!("news dropped: Redis does not keep up");
        }
    }

    /// Whether we are subscribed at the moment, and are answered.
    #[must_use]
    pub fn is_up(&self) -> bool {
        self.link.up.load(Ordering::Relaxed)
    }
}

impl Link {
    fn hears(&self, outcome: &Result<(), Error>) {
        self.learn(outcome, |standing, good| standing.hears = good);
    }

    fn answers(&self, outcome: &Result<(), Error>) {
        self.learn(outcome, |standing, good| standing.answers = good);
    }

    fn learn(&self, outcome: &Result<(), Error>, note: impl FnOnce(&mut Standing, bool)) {
        let mut standing = self.standing.lock().unwrap_or_else(PoisonError::into_inner);
        note(&mut standing, outcome.is_ok());
        let is_up = standing.hears && standing.answers;
        self.up.store(is_up, Ordering::Relaxed);
        match outcome {
            Ok(()) if is_up && standing.told_up != Some(true) => tracing::info!("Redis carries the news between nodes"),
            Err(error) if standing.told_up != Some(false) => {
                tracing::warn!(%error, "Redis is away; other nodes are followed through the database until it is back");
            }
            _ => return,
        }
        standing.told_up = Some(is_up);
    }
}

fn client(url: &str) -> anyhow::Result<Client> {
    let mut config = Config::from_url(url).context("BROKER_URL must be like redis://host:6379")?;
    config.fail_fast = false;
    let mut builder = Builder::from_config(config);
    builder
        .with_performance_config(|performance| {
            performance.default_command_timeout = COMMAND_TIMEOUT;
            performance.broadcast_channel_capacity = RECEIVED_QUEUE;
        })
        .with_connection_config(|connection| {
            connection.connection_timeout = Duration::from_secs(3);
            connection.internal_command_timeout = Duration::from_secs(3);
            connection.unresponsive.max_timeout = Some(Duration::from_secs(5));
            connection.max_command_attempts = 1;
            connection.max_command_buffer_len = QUEUE;
        })
        .set_policy(ReconnectPolicy::new_constant(0, RECONNECT_MS));
    Ok(builder.build()?)
}

async fn publish(
    client: Client,
    channel: String,
    mut queued: mpsc::Receiver<Bytes>,
    (link, stop): (Arc<Link>, CancellationToken),
) {
    let connection = client.connect();
    let mut heartbeat = time::interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let answered = tokio::select! {
            () = stop.cancelled() => break,
            message = queued.recv() => match message {
                Some(message) => client.publish::<(), _, _>(channel.as_str(), message).await,
                None => break,
            },
            _ = heartbeat.tick() => client.ping::<()>(None).await,
        };
        link.answers(&answered);
    }
    connection.abort();
}

async fn listen(
    client: Client,
    channel: String,
    heard: mpsc::Sender<Heard>,
    (link, stop): (Arc<Link>, CancellationToken),
) {
    let (mut messages, mut reconnected) = (client.message_rx(), client.reconnect_rx());
    let mut failures = client.error_rx();
    let connection = client.connect();
    let mut is_deaf = false;
    loop {
        let news = tokio::select! {
            () = stop.cancelled() => break,
            message = messages.recv() => match message {
                Ok(message) => message.value.into_bytes().map_or(Heard::Gap, Heard::Message),
                Err(RecvError::Lagged(_)) => Heard::Gap,
                Err(RecvError::Closed) => break,
            },
            Ok(_) = reconnected.recv() => {
                is_deaf = !subscribe(&client, &channel, &link).await;
                Heard::Gap
            }
            () = time::sleep(SUBSCRIBE_AGAIN), if is_deaf => {
                is_deaf = !subscribe(&client, &channel, &link).await;
                Heard::Gap
            }
            Ok((error, _)) = failures.recv() => {
                link.hears(&Err(error));
                continue;
            }
        };
        deliver(&heard, news).await;
    }
    connection.abort();
}

/// A client's subscriptions do not come back by themselves after a reconnection. False when it has to be tried again.
async fn subscribe(client: &Client, channel: &str, link: &Link) -> bool {
    let subscribed = client.subscribe(channel).await;
    link.hears(&subscribed);
    subscribed.is_ok()
}

/// A full queue means that the listener is behind: it is told of the gap when there is room.
async fn deliver(heard: &mpsc::Sender<Heard>, news: Heard) {
    if heard.try_send(news).is_err() && heard.send(Heard::Gap).await.is_err() {
        tracing::debug!("nobody listens to the news any more");
    }
}
