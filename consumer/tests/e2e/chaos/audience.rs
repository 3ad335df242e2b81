//! Who watches: socket.io clients that speak the raw protocol, come back by themselves, and note everything they were sent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::{Message, client::IntoClientRequest};
use tokio_tungstenite::{WebSocketStream, client_async};
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::support::eventually;

/// A server that says nothing for so long is gone: it pings every 25 s.
const SILENCE: Duration = Duration::from_mins(1);
const COME_AGAIN: Duration = Duration::from_millis(50);

/// How a watcher watches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `/collectHooks` from offset 1, and after each reconnection from the last offset: each event once, in order, none missing.
    Follower,
    /// `/collectHooks` as the tutorial's page: nothing but `join_room`, so what happens while it is away is not for it.
    Tutorial,
    /// `/live`, as the dashboard.
    Dashboard,
}

/// What one watcher was sent.
#[derive(Debug, Default)]
pub struct Seen {
    pub joined: bool,
    /// The last offset (the newest head, for a dashboard).
    pub last: u64,
    /// How many were seen a second time, and where the order broke.
    pub twice: usize,
    pub disordered: Vec<String>,
    /// Of the newest frame.
    pub total: Option<u64>,
    /// The tasks of each connection in their order; only of the tutorial's.
    pub connections: Vec<Vec<String>>,
}

/// One who watches one node.
pub struct Watcher {
    pub kind: Kind,
    pub url: String,
    seen: Arc<Mutex<Seen>>,
    _stop: DropGuard,
}

/// One of every kind on each node.
pub struct Audience(Vec<Watcher>);

impl Audience {
    pub fn join(nodes: &[String]) -> Self {
        let kinds = [Kind::Follower, Kind::Tutorial, Kind::Dashboard];
        Self(nodes.iter().flat_map(|url| kinds.map(|kind| Watcher::join(kind, url))).collect())
    }

    pub async fn has_joined(&self) {
        for watcher in &self.0 {
            let what = format!("{:?} of {} has joined", watcher.kind, watcher.url);
            eventually(&what, super::STAGE, async || watcher.seen(|seen| seen.joined).then_some(())).await;
        }
    }

    /// Waits until the followers and the dashboards have seen this offset.
    pub async fn has_reached(&self, offset: u64, patience: Duration) {
        for watcher in self.0.iter().filter(|watcher| watcher.kind != Kind::Tutorial) {
            watcher.has_reached(offset, patience).await;
        }
    }

    pub fn watchers(&self) -> impl Iterator<Item = &Watcher> {
        self.0.iter()
    }
}

impl Watcher {
    /// Joins in the background, for as long as it takes, and stays until it is dropped.
    pub fn join(kind: Kind, url: &str) -> Self {
        let (seen, stop) = (Arc::<Mutex<Seen>>::default(), CancellationToken::new());
        let watching = watch(kind, url.trim_start_matches("http://").to_owned(), seen.clone());
        let stopped = stop.clone();
        tokio::spawn(async move { stopped.run_until_cancelled(watching).await });
        Self { kind, url: url.to_owned(), seen, _stop: stop.drop_guard() }
    }

    /// Reads what it has seen.
    pub fn seen<T>(&self, read: impl FnOnce(&Seen) -> T) -> T {
        read(&self.seen.lock().unwrap())
    }

    pub async fn has_reached(&self, offset: u64, patience: Duration) {
        let what = format!("{:?} of {} reaches {offset}", self.kind, self.url);
        eventually(&what, patience, async || self.seen(|seen| seen.last >= offset).then_some(())).await;
    }
}

async fn watch(kind: Kind, address: String, seen: Arc<Mutex<Seen>>) {
    loop {
        // However it ended, the next connection goes on where this one was.
        let _ = connected(kind, &address, &seen).await;
        sleep(COME_AGAIN).await;
    }
}

/// One connection, until it breaks.
async fn connected(kind: Kind, address: &str, seen: &Mutex<Seen>) -> Option<()> {
    let namespace = if kind == Kind::Dashboard { "/live" } else { "/collectHooks" };
    let mut stream = open(address).await?;
    loop {
        let Message::Text(text) = timeout(SILENCE, stream.next()).await.ok()??.ok()? else { continue };
        let text = text.as_str();
        if text == "2" {
            say(&mut stream, "3".to_owned()).await?;
        } else if text.starts_with('0') {
            say(&mut stream, format!("40{namespace},")).await?;
        } else if text.starts_with(&format!("40{namespace}")) {
            say(&mut stream, format!("42{namespace},1{}", joining(kind, seen))).await?;
        } else if let Some(answer) = text.strip_prefix(&format!("43{namespace},1")) {
            seen.lock().unwrap().joins(kind, &serde_json::from_str::<Vec<Value>>(answer).ok()?);
        } else if let Some(event) = text.strip_prefix(&format!("42{namespace},")) {
            seen.lock().unwrap().takes(kind, &serde_json::from_str::<Vec<Value>>(event).ok()?);
        } else if text.starts_with("41") || text.starts_with("44") {
            return None;
        }
    }
}

async fn open(address: &str) -> Option<WebSocketStream<TcpStream>> {
    let request = format!("ws://{address}/socket.io/?EIO=4&transport=websocket").into_client_request().ok()?;
    let stream = TcpStream::connect(address).await.ok()?;
    Some(timeout(SILENCE, client_async(request, stream)).await.ok()?.ok()?.0)
}

async fn say(stream: &mut WebSocketStream<TcpStream>, packet: String) -> Option<()> {
    stream.send(Message::text(packet)).await.ok()
}

fn joining(kind: Kind, seen: &Mutex<Seen>) -> Value {
    let mut seen = seen.lock().unwrap();
    match kind {
        Kind::Follower => json!(["join_room", {"since": seen.last}]),
        Kind::Tutorial => {
            seen.connections.push(Vec::new());
            json!(["join_room"])
        }
        Kind::Dashboard => json!(["join", {"since": seen.last, "source": null}]),
    }
}

impl Seen {
    /// The answer to the joining.
    fn joins(&mut self, kind: Kind, answer: &[Value]) {
        self.joined = true;
        if kind == Kind::Dashboard {
            self.frame(&answer[0]["frame"]);
        }
        if kind == Kind::Follower && answer[0]["recovered"] != true {
            self.disordered.push(format!("the log does not reach back to {}: {answer:?}", self.last));
        }
    }

    fn takes(&mut self, kind: Kind, event: &[Value]) {
        match kind {
            Kind::Follower => self.offset(event[2].as_u64().expect("it asked for offsets")),
            Kind::Tutorial => self.connections.last_mut().expect("it has joined").push(task_of_message(&event[1])),
            Kind::Dashboard => self.frame(&event[1]),
        }
    }

    fn offset(&mut self, offset: u64) {
        if offset <= self.last {
            self.twice += 1;
        } else if offset > self.last + 1 {
            self.disordered.push(format!("after {} came {offset}", self.last));
        }
        self.last = self.last.max(offset);
    }

    fn frame(&mut self, frame: &Value) {
        let head = frame["head"].as_u64().expect("a frame has a head");
        if head < self.last {
            self.disordered.push(format!("after the frame of {} came that of {head}", self.last));
        }
        self.last = head;
        self.total = frame["counts"]["total"].as_u64();
    }
}

/// What tells one task from every other: a `msg` carries it as JSON in a string.
fn task_of_message(message: &Value) -> String {
    let task: Value = serde_json::from_str(message.as_str().unwrap_or_default()).unwrap_or_default();
    task_key(&task)
}

/// The batch and the number of a task.
pub fn task_key(task: &Value) -> String {
    format!("{}/{}", task["batchid"].as_str().unwrap_or_default(), task["id"])
}

/// Where the log and what a connection of the tutorial's saw differ: it is a part of the log without a hole.
pub fn differs_from_the_log(connection: &[String], offsets: &HashMap<String, u64>) -> Option<String> {
    let mut last = None;
    for key in connection {
        let Some(offset) = offsets.get(key).copied() else { return Some(format!("{key} is not in the log")) };
        if last.is_some_and(|last| last + 1 != offset) {
            return Some(format!("after {last:?} came {offset}"));
        }
        last = Some(offset);
    }
    None
}
