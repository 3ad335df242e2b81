//! News between the nodes of one log: in process there is nobody else; through Redis frames of (offset, event).

use std::sync::Arc;

use anyhow::Context;
use common::{
    broker::{Broker, Heard},
    config::given,
    db::Db,
    key,
};
use tokio::sync::mpsc;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    config::Config,
    event::{Event, Record},
    feed::Feed,
};

/// A frame larger than this is not sent: the others read the log instead.
const MAX_FRAME_BYTES: usize = 512 * 1024;

/// How other nodes hear of this node's commits.
#[derive(Clone, Debug)]
pub enum Bus {
    InProcess,
    Redis(Broker),
}

impl Bus {
    /// Tells the other nodes, without waiting.
    pub fn publish(&self, events: &[Arc<Event>]) {
        let Self::Redis(broker) = self else { return };
        let size: usize = events.iter().map(|event| event.size()).sum();
        let records: Vec<&Record> =
            if size > MAX_FRAME_BYTES { Vec::new() } else { events.iter().map(|event| &***event).collect() };
        match serde_json::to_vec(&records) {
            Ok(frame) => broker.publish(frame.into()),
            Err(error) => tracing::error!(%error, "cannot write a frame"),
        }
    }

    /// Whether the broker is connected; `None` when there is none.
    #[must_use]
    pub fn is_up(&self) -> Option<bool> {
        match self {
            Self::InProcess => None,
            Self::Redis(broker) => Some(broker.is_up()),
        }
    }
}

/// The bus of the settings; what other nodes tell is fed into `feed` until `stop`.
///
/// # Errors
/// When the broker's address is wrong, or the database fails.
pub async fn connect(
    config: &Config,
    db: &Db,
    feed: &Arc<Feed>,
    (tasks, stop): (&TaskTracker, &CancellationToken),
) -> anyhow::Result<Bus> {
    let Some(url) = given(config.common.broker_url.as_ref()) else { return Ok(Bus::InProcess) };
    // The channel carries the log's own name, so that two logs on one Redis do not hear each other.
    let log_id = db.setting("log_id", &key::random_hex(8)).await.context("the log has no name")?;
    let (broker, heard) = Broker::connect(url, format!("hookcast:log:{log_id}"), stop)?;
    tasks.spawn(follow(heard, feed.clone(), stop.clone()));
    Ok(Bus::Redis(broker))
}

/// Feeds what other nodes tell into `feed`; an empty or unreadable frame and a gap make it read the log.
pub async fn follow(mut heard: mpsc::Receiver<Heard>, feed: Arc<Feed>, stop: CancellationToken) {
    loop {
        let news = tokio::select! {
            () = stop.cancelled() => return,
            news = heard.recv() => news,
        };
        match news {
            None => return,
            Some(Heard::Gap) => feed.nudge(),
            Some(Heard::Message(frame)) => match serde_json::from_slice::<Vec<Record>>(&frame) {
                Ok(records) if !records.is_empty() => {
                    feed.offer(&records.into_iter().map(|record| Arc::new(record.into())).collect::<Vec<_>>());
                }
                _ => feed.nudge(),
            },
        }
    }
}
