//! The connection to a device with Evok: a WebSocket on which nothing is said before it is asked, and only what changes after.
//!
//! The facts are those of Evok 3.0.6: no ping of its own, no mark on an answer, no answer at all to `set`, and silence on errors.

pub mod reading;

use std::time::Duration;

use anyhow::{Context, bail};
use futures_util::{SinkExt, StreamExt};
use serde_json::{Number, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use url::Url;

/// How long a connection, and the first answer on it, may take.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Asks for one array of every device. No filter is ever set: Evok's have defects.
const ALL: &str = r#"{"cmd":"all"}"#;
const LARGEST_MESSAGE: usize = 8 * 1024 * 1024;

/// A connection that stands.
pub struct Connection {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When there is no connection within [`CONNECT_TIMEOUT`].
    pub async fn open(url: &Url) -> anyhow::Result<Self> {
        let config = WebSocketConfig::default().max_message_size(Some(LARGEST_MESSAGE));
        let connecting = connect_async_with_config(url.as_str(), Some(config), true);
        let connected = timeout(CONNECT_TIMEOUT, connecting).await;
        let connected = connected.with_context(|| format!("no connection to {url} in time"))?;
        Ok(Self { socket: connected.with_context(|| format!("cannot connect to {url}"))?.0 })
    }

    /// Asks for the state of all devices; it comes as one array, like changes do.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn ask_all(&mut self) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::text(ALL)).await?)
    }

    /// Asks for an answer that shows that somebody is there.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn ping(&mut self) -> anyhow::Result<()> {
        Ok(self.socket.send(Message::Ping(Vec::new().into())).await?)
    }

    /// Sets an output. Nothing answers: only what is read of it later tells.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn set(&mut self, dev: &str, circuit: &str, value: &Number) -> anyhow::Result<()> {
        let set = json!({"cmd": "set", "dev": dev, "circuit": circuit, "value": value});
        Ok(self.socket.send(Message::text(set.to_string())).await?)
    }

    /// Waits for a message; `None`: it was one without text, such as a pong. To stop waiting loses nothing.
    ///
    /// # Errors
    /// When the connection broke, or was closed.
    pub async fn next(&mut self) -> anyhow::Result<Option<String>> {
        match self.socket.next().await {
            Some(Ok(Message::Close(_))) | None => bail!("the device closed the connection"),
            Some(message) => match message.context("the connection broke")? {
                Message::Text(text) => Ok(Some(text.to_string())),
                _ => Ok(None),
            },
        }
    }

    /// Asks for all devices and waits for the array that tells them, to the byte.
    ///
    /// # Errors
    /// When the connection broke, or nothing is told within [`CONNECT_TIMEOUT`].
    pub async fn all(&mut self) -> anyhow::Result<String> {
        self.ask_all().await?;
        let answered = timeout(CONNECT_TIMEOUT, async {
            loop {
                match self.next().await? {
                    Some(text) if text.trim_start().starts_with('[') => return anyhow::Ok(text),
                    _ => {}
                }
            }
        });
        answered.await.context("connected, but the devices were not told in time")?
    }
}

/// The address, when there can be an Evok.
///
/// # Errors
/// Says what to write.
pub fn check_url(url: &Url) -> Result<(), String> {
    if url.scheme() == "ws" && url.host_str().is_some_and(|host| !host.is_empty()) {
        Ok(())
    } else {
        Err("write ws://HOST:8080/ws; Evok speaks no TLS".into())
    }
}
