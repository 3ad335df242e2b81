//! A socket.io client by hand, over one WebSocket: what any client of version 3 or 4 says and hears.

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{self, Message, client::IntoClientRequest},
};

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client in one namespace.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    namespace: &'static str,
    /// What came while an answer was waited for.
    kept: VecDeque<String>,
}

impl Socket {
    /// Connects as a program does, without an Origin.
    pub async fn connect(address: SocketAddr, namespace: &'static str) -> Self {
        Self::try_connect(address, namespace, &[]).await.unwrap()
    }

    /// Connects with these headers; the error is what the server says of it.
    pub async fn try_connect(
        address: SocketAddr,
        namespace: &'static str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, String> {
        Self::open(address, namespace, headers, "").await
    }

    /// Connects with what socket.io calls `auth`.
    pub async fn connect_as(address: SocketAddr, namespace: &'static str, auth: &Value) -> Result<Self, String> {
        Self::open(address, namespace, &[], &auth.to_string()).await
    }

    async fn open(
        address: SocketAddr,
        namespace: &'static str,
        headers: &[(&'static str, &str)],
        auth: &str,
    ) -> Result<Self, String> {
        let mut request = format!("ws://{address}/socket.io/?EIO=4&transport=websocket").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
        let (stream, _) = client_async(request, stream).await.map_err(|error: tungstenite::Error| error.to_string())?;
        let mut socket = Self { stream, namespace, kept: VecDeque::new() };
        let opened = socket.packet_or_end().await.ok_or("it ended at once")?;
        assert!(opened.starts_with('0'), "the server opens the session");
        socket.send_or_end(format!("40{namespace},{auth}")).await.ok_or("it ended before it was open")?;
        let answer = socket.packet_or_end().await.ok_or("it ended before the answer")?;
        if answer.starts_with("40") { Ok(socket) } else { Err(answer) }
    }

    async fn send(&mut self, packet: String) {
        self.send_or_end(packet).await.unwrap();
    }

    async fn send_or_end(&mut self, packet: String) -> Option<()> {
        self.stream.send(Message::text(packet)).await.ok()
    }

    /// The next packet that is not a ping.
    async fn packet(&mut self) -> String {
        self.packet_or_end().await.expect("the connection stands")
    }

    /// The next packet that is not a ping; `None`: the connection broke.
    async fn packet_or_end(&mut self) -> Option<String> {
        loop {
            let next = timeout(PATIENCE, self.stream.next()).await.expect("the server says something");
            match next?.ok()? {
                Message::Text(text) if text == "2" => self.send_or_end("3".into()).await?,
                Message::Text(text) => return Some(text.to_string()),
                _ => {}
            }
        }
    }

    /// The next event, as name and arguments; `None`: the connection broke.
    pub async fn next_or_end(&mut self) -> Option<Vec<Value>> {
        let prefix = format!("42{},", self.namespace);
        loop {
            let packet = match self.kept.pop_front() {
                Some(packet) => packet,
                None => self.packet_or_end().await?,
            };
            if let Some(event) = packet.strip_prefix(&prefix) {
                return Some(serde_json::from_str(event).unwrap());
            }
        }
    }

    /// Emits without asking for an answer.
    pub async fn emit(&mut self, arguments: Value) {
        self.send(format!("42{},{arguments}", self.namespace)).await;
    }

    /// Emits and waits for the acknowledgement; events that come in between are lost on this client.
    pub async fn ask(&mut self, arguments: Value) -> Value {
        self.send(format!("42{},7{arguments}", self.namespace)).await;
        let prefix = format!("43{},7", self.namespace);
        loop {
            if let Some(answer) = self.packet().await.strip_prefix(&prefix) {
                return serde_json::from_str::<Value>(answer).unwrap()[0].take();
            }
        }
    }

    /// Emits and waits for the acknowledgement; events that come in between are kept for [`Self::event`].
    pub async fn ask_and_keep(&mut self, arguments: Value) -> Value {
        self.ask_or_end(arguments).await.expect("the connection stands")
    }

    /// Like [`Self::ask_and_keep`]; `None`: the connection broke before the answer.
    pub async fn ask_or_end(&mut self, arguments: Value) -> Option<Value> {
        self.send_or_end(format!("42{},7{arguments}", self.namespace)).await?;
        let prefix = format!("43{},7", self.namespace);
        loop {
            let packet = self.packet_or_end().await?;
            match packet.strip_prefix(&prefix) {
                Some(answer) => return Some(serde_json::from_str::<Value>(answer).unwrap()[0].take()),
                None => self.kept.push_back(packet),
            }
        }
    }

    /// Waits until the server ends the connection to the namespace.
    pub async fn ended(mut self) {
        let end = format!("41{},", self.namespace);
        while self.packet().await != end {}
    }

    /// Joins the tutorial's room and knows that it has.
    pub async fn join_room(&mut self, argument: Value) -> Value {
        let arguments = if argument.is_null() { json!(["join_room"]) } else { json!(["join_room", argument]) };
        self.ask(arguments).await
    }

    /// The arguments of the next event of this name.
    pub async fn event(&mut self, name: &str) -> Vec<Value> {
        let prefix = format!("42{},", self.namespace);
        loop {
            let packet = match self.kept.pop_front() {
                Some(packet) => packet,
                None => self.packet().await,
            };
            let Some(event) = packet.strip_prefix(&prefix) else { continue };
            let mut arguments: Vec<Value> = serde_json::from_str(event).unwrap();
            if arguments.remove(0) == name {
                return arguments;
            }
        }
    }

    /// The task in the next `msg`, which is a JSON text in a string.
    pub async fn msg(&mut self) -> Value {
        let arguments = self.event("msg").await;
        assert_eq!(arguments.len(), 1, "only clients that asked get an offset");
        serde_json::from_str(arguments[0].as_str().unwrap()).unwrap()
    }
}
