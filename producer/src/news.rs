//! News between producers on one database: a hurry, never the truth. A poll stands behind every wake-up, so a Redis that is away costs a second.

use std::sync::Arc;

use bytes::Bytes;
use common::broker::{Broker, Heard};
use tokio::sync::{Notify, mpsc::Receiver};
use tokio_util::sync::CancellationToken;

use crate::progress::Wake;

const WORK: &str = "work";

/// Tells the other producers; does nothing when no broker is set.
#[derive(Clone, Default)]
pub struct News {
    link: Option<(Broker, String)>,
}

/// Who is woken by what the others tell.
#[derive(Clone)]
pub struct Inbox {
    pub work: Arc<Notify>,
    pub progress: Wake,
}

impl News {
    /// Connects in the background to the broker, when one is set; `installation` tells databases that share a Redis apart.
    ///
    /// # Errors
    /// When the address cannot be read.
    pub fn start(
        url: Option<&str>,
        installation: &str,
        inbox: Inbox,
        stop: &CancellationToken,
    ) -> anyhow::Result<Self> {
        let Some(url) = url else { return Ok(Self::default()) };
        let (broker, heard) = Broker::connect(url, format!("hookcast:producer:{installation}"), stop)?;
        let node = common::key::random_hex(4);
        tokio::spawn(listen(heard, inbox, node.clone()));
        Ok(Self { link: Some((broker, node)) })
    }

    /// Something was put in the queue.
    pub fn queued(&self) {
        self.send(WORK);
    }

    /// Batches, deliveries or accounts moved.
    pub fn moved(&self, what: &[String]) {
        if !what.is_empty() {
            self.send(&what.join(" "));
        }
    }

    /// Whether the broker answers; `None`: none is set.
    pub fn is_up(&self) -> Option<bool> {
        self.link.as_ref().map(|(broker, _)| broker.is_up())
    }

    fn send(&self, what: &str) {
        if let Some((broker, node)) = &self.link {
            broker.publish(Bytes::from(format!("{node} {what}")));
        }
    }
}

/// Ends when the broker does, on the stop token.
async fn listen(mut heard: Receiver<Heard>, inbox: Inbox, node: String) {
    while let Some(news) = heard.recv().await {
        match news {
            Heard::Message(message) => inbox.take(&String::from_utf8_lossy(&message), &node),
            Heard::Gap => inbox.work.notify_one(),
        }
    }
}

impl Inbox {
    /// What this process said itself is no news.
    fn take(&self, message: &str, node: &str) {
        match message.split_once(' ') {
            Some((sender, _)) if sender == node => {}
            Some((_, WORK)) => self.work.notify_one(),
            Some((_, moved)) => moved.split(' ').for_each(|what| self.progress.moved(what)),
            None => {}
        }
    }
}
