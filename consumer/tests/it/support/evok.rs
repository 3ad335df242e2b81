//! A controller with Evok, simulated as Evok 3.0.6 was observed: nothing on connect, `all` answered with one array, no answer to `set` but the
//! change, to everybody, and silence on what it does not have.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
    },
};

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
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

#[derive(Default)]
struct Shared {
    devices: Mutex<Vec<Value>>,
    /// What was asked to be set, in order, as (circuit, value).
    sets: Mutex<Vec<(String, Value)>>,
    open: AtomicUsize,
    /// The next `set` breaks its connection, and nothing is set.
    breaks: AtomicBool,
    /// `set` changes nothing.
    stuck: AtomicBool,
    /// The next `set` changes nothing.
    ignores: AtomicBool,
}

impl Evok {
    /// With relays `1_01` and `1_02` and an analogue output `1_01`, all 0.
    pub async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    pub async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let address = listener.local_addr().unwrap();
        let devices = [("ro", "1_01"), ("ro", "1_02"), ("ao", "1_01")];
        let devices = devices.map(|(dev, circuit)| json!({"dev": dev, "circuit": circuit, "value": 0}));
        let shared = Arc::new(Shared { devices: Mutex::new(devices.into()), ..Shared::default() });
        let serving = tokio::spawn(serve(listener, Arc::clone(&shared)));
        Self { address, shared, serving }
    }

    pub fn url(&self) -> String {
        format!("ws://{}/ws", self.address)
    }

    /// How many are connected.
    pub fn open(&self) -> usize {
        self.shared.open.load(SeqCst)
    }

    pub fn sets(&self) -> Vec<(String, Value)> {
        self.shared.sets.lock().unwrap().clone()
    }

    pub fn value(&self, dev: &str, circuit: &str) -> Value {
        let devices = self.shared.devices.lock().unwrap();
        devices.iter().find(|it| it["dev"] == dev && it["circuit"] == circuit).unwrap()["value"].clone()
    }

    pub fn break_at_next_set(&self) {
        self.shared.breaks.store(true, SeqCst);
    }

    pub fn get_stuck(&self) {
        self.shared.stuck.store(true, SeqCst);
    }

    pub fn ignore_next_set(&self) {
        self.shared.ignores.store(true, SeqCst);
    }

    /// A further device, off.
    pub fn has(&self, dev: &str, circuit: &str) {
        let device = json!({"dev": dev, "circuit": circuit, "value": 0});
        self.shared.devices.lock().unwrap().push(device);
    }
}

impl Drop for Evok {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let (mut connections, changes) = (JoinSet::new(), broadcast::channel(1000).0);
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let (shared, changes) = (Arc::clone(&shared), changes.clone());
        connections.spawn(async move {
            shared.open.fetch_add(1, SeqCst);
            converse(stream, &shared, &changes).await;
            shared.open.fetch_sub(1, SeqCst);
        });
    }
}

/// Until the connection ends.
async fn converse(stream: TcpStream, shared: &Shared, changes: &broadcast::Sender<String>) -> Option<()> {
    let mut socket = accept_async(stream).await.ok()?;
    let mut news = changes.subscribe();
    loop {
        tokio::select! {
            biased;
            change = news.recv() => socket.send(Message::text(change.unwrap())).await.ok()?,
            asked = socket.next() => {
                let Message::Text(text) = asked?.ok()? else { continue };
                let asked: Value = serde_json::from_str(&text).unwrap();
                if asked["cmd"] == "all" {
                    let all = Value::from(shared.devices.lock().unwrap().clone());
                    socket.send(Message::text(all.to_string())).await.ok()?;
                } else if let Some(change) = set(shared, &asked).ok()? {
                    let _ = changes.send(change);
                }
            }
        }
    }
}

/// What the connection breaks by.
struct Broken;

/// The change to be told, if it is one.
fn set(shared: &Shared, asked: &Value) -> Result<Option<String>, Broken> {
    assert_eq!(asked["cmd"], "set", "{asked}");
    shared.sets.lock().unwrap().push((asked["circuit"].as_str().unwrap().to_owned(), asked["value"].clone()));
    if shared.breaks.swap(false, SeqCst) {
        return Err(Broken);
    }
    if shared.ignores.swap(false, SeqCst) {
        return Ok(None);
    }
    let mut devices = shared.devices.lock().unwrap();
    let device = devices.iter_mut().find(|it| it["dev"] == asked["dev"] && it["circuit"] == asked["circuit"]);
    let Some(device) = device.filter(|it| !shared.stuck.load(SeqCst) && it["value"] != asked["value"]) else {
        return Ok(None);
    };
    device["value"] = asked["value"].clone();
    Ok(Some(json!([device]).to_string()))
}
