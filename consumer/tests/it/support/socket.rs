//! A socket.io client by hand, over one WebSocket: what any client of version 3 or 4 says and hears.

use std::{net::SocketAddr, time::Duration};

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
        let mut request = format!("ws://{address}/socket.io/?EIO=4&transport=websocket").into_client_request().unwrap();
        for (name, value) in headers {
            request.headers_mut().insert(*name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(address).await.unwrap();
        let (stream, _) = client_async(request, stream).await.map_err(|error: tungstenite::Error| error.to_string())?;
        let mut socket = Self { stream, namespace };
        assert!(socket.packet().await.starts_with('0'), "the server opens the session");
        socket.send(format!("40{namespace},")).await;
        let answer = socket.packet().await;
        if answer.starts_with("40") { Ok(socket) } else { Err(answer) }
    }

    async fn send(&mut self, packet: String) {
        self.stream.send(Message::text(packet)).await.unwrap();
    }

    /// The next packet that is not a ping.
    async fn packet(&mut self) -> String {
        loop {
            let next = timeout(PATIENCE, self.stream.next()).await.expect("the server says something");
            match next.expect("the connection stands").unwrap() {
                Message::Text(text) if text == "2" => self.send("3".into()).await,
                Message::Text(text) => return text.to_string(),
                _ => {}
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

    /// Joins the tutorial's room and knows that it has.
    pub async fn join_room(&mut self, argument: Value) -> Value {
        let arguments = if argument.is_null() { json!(["join_room"]) } else { json!(["join_room", argument]) };
        self.ask(arguments).await
    }

    /// The arguments of the next event of this name.
    pub async fn event(&mut self, name: &str) -> Vec<Value> {
        let prefix = format!("42{},", self.namespace);
        loop {
            let packet = self.packet().await;
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
