//! A viewer on a raw WebSocket that reads only when it is told to.

use std::io;
use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

/// So little is taken by its side of the connection without being read.
const BUFFER_BYTES: u32 = 4096;

/// What is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Namespace {
    /// `/collectHooks` with offsets: each event.
    Hooks,
    /// `/live`: frames.
    Frames,
}

impl Namespace {
    pub fn name(self) -> &'static str {
        match self {
            Self::Hooks => "/collectHooks",
            Self::Frames => "/live",
        }
    }
}

/// What it was shown, over all its connections.
pub struct StalledViewer {
    address: SocketAddr,
    pub namespace: Namespace,
    stream: Option<WebSocketStream<TcpStream>>,
    /// The last offset; of frames, the last head.
    pub last: u64,
    /// What came out of order, again, or after a hole.
    pub disordered: u64,
}

impl StalledViewer {
    pub fn new(url: &str, namespace: Namespace) -> Self {
        let address = url.trim_start_matches("http://").parse().unwrap();
        Self { address, namespace, stream: None, last: 0, disordered: 0 }
    }

    /// Connects, and joins from the last offset it has on; nothing more is read.
    pub async fn join(&mut self) -> io::Result<()> {
        let socket = TcpSocket::new_v4()?;
        socket.set_recv_buffer_size(BUFFER_BYTES)?;
        let url = format!("ws://{}/socket.io/?EIO=4&transport=websocket", self.address);
        let connected = client_async(url, socket.connect(self.address).await?).await;
        let (mut stream, _) = connected.map_err(io::Error::other)?;
        let name = self.namespace.name();
        say(&mut stream, format!("40{name},")).await?;
        while !text(&mut stream).await?.starts_with("40") {}
        let join = match self.namespace {
            Namespace::Hooks => json!(["join_room", {"since": self.last}]),
            Namespace::Frames => json!(["join", {"since": self.last, "source": null}]),
        };
        say(&mut stream, format!("42{name},7{join}")).await?;
        self.stream = Some(stream);
        Ok(())
    }

    /// Reads until it has this offset.
    ///
    /// # Errors
    /// When the connection breaks before that.
    pub async fn read_to(&mut self, offset: u64) -> io::Result<()> {
        let stream = self.stream.as_mut().expect("it has joined");
        while self.last < offset {
            let packet = text(stream).await?;
            if packet == "2" {
                say(stream, "3".to_owned()).await?;
            } else if let Some(shown) = shown(self.namespace, &packet) {
                let is_next = match self.namespace {
                    Namespace::Hooks => shown == self.last + 1,
                    Namespace::Frames => shown >= self.last,
                };
                self.disordered += u64::from(!is_next);
                self.last = self.last.max(shown);
            }
        }
        Ok(())
    }
}

async fn say(stream: &mut WebSocketStream<TcpStream>, packet: String) -> io::Result<()> {
    stream.send(Message::text(packet)).await.map_err(io::Error::other)
}

async fn text(stream: &mut WebSocketStream<TcpStream>) -> io::Result<String> {
    loop {
        match stream.next().await {
            Some(Ok(Message::Text(text))) => return Ok(text.to_string()),
            Some(Ok(_)) => {}
            Some(Err(error)) => return Err(io::Error::other(error)),
            None => return Err(io::Error::other(tungstenite::Error::ConnectionClosed)),
        }
    }
}

/// The offset of an event, or the head of a frame; `None`: the packet is neither.
fn shown(namespace: Namespace, packet: &str) -> Option<u64> {
    let packet = packet.strip_prefix("42").or_else(|| packet.strip_prefix("43"))?;
    let packet = packet.strip_prefix(namespace.name())?.strip_prefix(',')?;
    let told: Value = serde_json::from_str(packet.trim_start_matches(|letter: char| letter.is_ascii_digit())).ok()?;
    match (namespace, told[0].as_str()) {
        (Namespace::Hooks, Some("msg")) => told[2].as_u64(),
        (Namespace::Frames, Some("frame")) => told[1]["head"].as_u64(),
        // The answer to the joining has a frame too.
        (Namespace::Frames, _) => told[0]["frame"]["head"].as_u64(),
        (Namespace::Hooks, _) => None,
    }
}
