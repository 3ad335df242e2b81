//! A device with Evok, simulated as Evok 3.0.6 was observed: nothing on connect, `all` answered with one array, changes as they come.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
};

use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::broadcast,
    task::{JoinHandle, JoinSet},
};
use tokio_tungstenite::{accept_async, tungstenite::Message};

/// Listens on a port of its own until it is dropped.
pub struct Evok {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

struct Shared {
    /// The devices' JSON objects.
    devices: Mutex<Vec<String>>,
    changes: broadcast::Sender<String>,
    connections: Mutex<usize>,
    deaf: Mutex<bool>,
}

impl Evok {
    /// With the devices' JSON objects.
    pub async fn start(devices: &[&str]) -> Self {
        Self::at("127.0.0.1:0".parse().unwrap(), devices).await
    }

    pub async fn at(address: SocketAddr, devices: &[&str]) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            devices: Mutex::new(devices.iter().map(|&device| device.to_owned()).collect()),
            changes: broadcast::channel(1000).0,
            connections: Mutex::default(),
            deaf: Mutex::default(),
        });
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, serving }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// How many ever connected.
    pub fn connections(&self) -> usize {
        *self.shared.connections.lock().unwrap()
    }

    /// The device in this place is so now, which is told in an array.
    pub fn change(&self, place: usize, device: &str) {
        self.change_silently(place, device);
        self.tell(&format!("[{device}]"));
    }

    /// The device in this place is so now, which only `all` tells.
    pub fn change_silently(&self, place: usize, device: &str) {
        device.clone_into(&mut self.shared.devices.lock().unwrap()[place]);
    }

    /// Says it to everybody, to the byte.
    pub fn tell(&self, message: &str) {
        self.shared.changes.send(message.to_owned()).unwrap();
    }

    /// From now on nobody is listened to, on connections that stay open.
    pub fn turn_deaf(&self, deaf: bool) {
        *self.shared.deaf.lock().unwrap() = deaf;
        // Whoever waits looks again.
        let _ = self.shared.changes.send(String::new());
    }

    /// Breaks every connection, and listens no more; gives where it was.
    pub async fn die(mut self) -> SocketAddr {
        self.serving.abort();
        let _ = (&mut self.serving).await;
        self.address
    }
}

impl Drop for Evok {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        connections.spawn(converse(stream, Arc::clone(&shared)));
    }
}

async fn converse(stream: TcpStream, shared: Arc<Shared>) {
    let Ok(mut socket) = accept_async(stream).await else { return };
    let mut changes = shared.changes.subscribe();
    *shared.connections.lock().unwrap() += 1;
    loop {
        if *shared.deaf.lock().unwrap() {
            std::future::pending::<()>().await;
        }
        tokio::select! {
            // One loop of the device tells everything: what changed before `all` is asked for is told before its answer.
            biased;
            change = changes.recv() => {
                let change = change.unwrap();
                if !change.is_empty() {
                    let _ = socket.send(Message::text(change)).await;
                }
            }
            asked = socket.next() => {
                let Some(Ok(message)) = asked else { return };
                if message.to_text().is_ok_and(|text| text == r#"{"cmd":"all"}"#) {
                    let all = format!("[{}]", shared.devices.lock().unwrap().join(", "));
                    let _ = socket.send(Message::text(all)).await;
                }
            }
        }
    }
}
