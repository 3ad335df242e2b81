//! The program is killed in the middle of an execution, and every device does everything exactly once.

use std::{
    net::{SocketAddr, TcpListener},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::CALL;
use crate::support::{
    database::{Database, Mode},
    eventually, on_both,
    socket::Socket,
};

const DEVICES: usize = 60;
/// Those that may do it before the kill.
const EARLY: usize = 20;
const ROUNDS: usize = 3;

/// The consumer as a program of its own, killed when it is dropped.
pub struct Program {
    address: SocketAddr,
    command: Command,
    child: Child,
    client: Client,
}

impl Program {
    pub async fn start(database: &Database) -> Self {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_consumer"));
        command.args(["--listen", &address.to_string(), "--database-url", &database.url]);
        if let Some(broker) = database.broker_url() {
            command.args(["--broker-url", &broker]);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().build().unwrap();
        let program = Self { address, command, child, client };
        program.ready().await;
        program
    }

    /// SIGKILL, and up again at the same address.
    pub async fn kill_and_start(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = self.command.spawn().unwrap();
        self.ready().await;
    }

    async fn ready(&self) {
        eventually("the program is ready", async || {
            let answer = self.client.get(format!("http://{}/readyz", self.address)).send().await.ok()?;
            answer.status().is_success().then_some(())
        })
        .await;
    }

    pub async fn post(&self, path: &str, body: Value, key: &str) -> Value {
        let request = self.client.post(format!("http://{}{path}", self.address)).header("x-webhook-apikey", key);
        let text = request.body(body.to_string()).send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// How many commands of an execution stand in which state.
    pub async fn states(&self, execution: &str) -> Option<Value> {
        let url = format!("http://{}/api/executions/{execution}", self.address);
        let text = self.client.get(url).send().await.ok()?.text().await.ok()?;
        Some(serde_json::from_str::<Value>(&text).ok()?["states"].take())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A device that connects again for ever, and remembers what it did. It does nothing without a permit.
async fn obey(address: SocketAddr, key: String, permits: Arc<Semaphore>, stop: CancellationToken) -> Vec<i64> {
    let (mut did, mut last) = (Vec::new(), 0);
    while !stop.is_cancelled() {
        let auth = json!({"key": key, "last": last});
        let connected = Socket::connect_as(address, "/devices", &auth).await;
        let Ok(mut socket) = connected else {
            tokio::time::sleep(Duration::from_millis(20)).await;
            continue;
        };
        stop.run_until_cancelled(follow(&mut socket, (&mut did, &mut last), &permits)).await;
    }
    did
}

/// Does what it is told until the connection breaks; every other command it acknowledges before it has its permit.
async fn follow(socket: &mut Socket, (did, last): (&mut Vec<i64>, &mut i64), permits: &Semaphore) -> Option<()> {
    loop {
        let event = socket.next_or_end().await?;
        if event[0] != "command" {
            continue;
        }
        let id = event[1]["id"].as_i64().unwrap();
        let hasty = rand::random::<bool>();
        let early = if hasty { None } else { permits.acquire().await.ok() };
        if socket.ask_or_end(json!(["ack", {"id": id}])).await?["execute"] == true {
            let permit = if hasty { permits.acquire().await.ok() } else { early };
            permit.unwrap().forget();
            did.push(id);
            *last = id;
            socket.ask_or_end(json!(["done", {"id": id}])).await?;
        }
    }
}

async fn run_and_kill(database: Database) {
    let mut programs = vec![Program::start(&database).await];
    if database.mode == Mode::Machines {
        programs.push(Program::start(&database).await);
    }
    let program = &programs[0];
    let key = program.post("/api/keys", json!({"name": "alarm"}), "").await["key"].as_str().unwrap().to_owned();
    let action = json!({"name": "t", "event_id": "t", "function": "wake", "target": "all", "ttl_ms": 600_000});
    program.post("/api/actions", action, "").await;
    let (permits, stop) = (Arc::new(Semaphore::new(0)), CancellationToken::new());
    let mut devices: Vec<JoinHandle<Vec<i64>>> = Vec::new();
    for number in 0..DEVICES {
        let made = program.post("/api/action-devices", json!({"name": format!("d{number}")}), "").await;
        let device_key = made["key"].as_str().unwrap().to_owned();
        let address = programs[number % programs.len()].address;
        devices.push(tokio::spawn(obey(address, device_key, permits.clone(), stop.clone())));
    }
    for _ in 0..ROUNDS {
        let called = programs[0].post(CALL, json!({"event_id": "t"}), &key).await;
        let execution = called["execution_id"].as_str().unwrap().to_owned();
        permits.add_permits(EARLY);
        eventually("some did it, and the others wait", async || (permits.available_permits() == 0).then_some(())).await;
        programs[0].kill_and_start().await;
        permits.add_permits(DEVICES - EARLY);
        let all = json!({"done": DEVICES});
        eventually("all did it", async || (programs[0].states(&execution).await? == all).then_some(())).await;
    }
    stop.cancel();
    for device in devices {
        let did = device.await.unwrap();
        assert!(did.len() == ROUNDS && did.is_sorted_by(|before, after| before < after), "each once: {did:?}");
    }
}

#[tokio::test]
async fn a_kill_in_the_middle_of_an_execution_leaves_each_device_doing_it_once() {
    on_both(run_and_kill).await;
}
