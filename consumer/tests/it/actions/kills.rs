//! The program is killed in the middle of an execution, and every device does everything exactly once.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use serde_json::json;
use sqlx::Executor;
use tokio::{sync::Semaphore, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{CALL, program::Program};
use crate::support::{
    database::{Database, Mode},
    eventually, on_both,
    socket::Socket,
};

const DEVICES: usize = 500;
/// Those that never come: what they should do expires.
const AWAY: usize = 20;
/// Those that may do it before the kill, round after round.
const EARLY: [usize; 3] = [20, 250, 480];

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
    let mut programs = vec![Program::start(&database, &[]).await];
    if database.mode == Mode::Machines {
        programs.push(Program::start(&database, &[]).await);
    }
    let program = &programs[0];
    let key = program.post("/api/keys", json!({"name": "alarm"}), "").await["key"].as_str().unwrap().to_owned();
    let action = json!({"name": "t", "event_id": "t", "function": "wake", "target": "all", "ttl_ms": 600_000});
    program.post("/api/actions", action, "").await;
    let mut keys = Vec::new();
    for number in 0..DEVICES + AWAY {
        let made = program.post("/api/action-devices", json!({"name": format!("d{number}")}), "").await;
        keys.push(made["key"].as_str().unwrap().to_owned());
    }
    let (permits, stop) = (Arc::new(Semaphore::new(0)), CancellationToken::new());
    let mut devices: Vec<JoinHandle<Vec<i64>>> = Vec::new();
    for (number, key) in keys.into_iter().take(DEVICES).enumerate() {
        let address = programs[number % programs.len()].address;
        devices.push(tokio::spawn(obey(address, key, permits.clone(), stop.clone())));
    }
    for (round, early) in EARLY.into_iter().enumerate() {
        let killed = round % programs.len();
        let called = programs[killed].post(CALL, json!({"event_id": "t"}), &key).await;
        let execution = called["execution_id"].as_str().unwrap().to_owned();
        permits.add_permits(early);
        eventually("some did it, and the others wait", async || (permits.available_permits() == 0).then_some(())).await;
        programs[killed].kill_and_start().await;
        permits.add_permits(DEVICES - early);
        let all = json!({"done": DEVICES, "queued": AWAY});
        eventually("all did it", async || (programs[0].states(&execution).await? == all).then_some(())).await;
        let over = "update commands set expires_ms = 1 where state = 'queued'";
        database.connection().await.execute(over).await.unwrap();
        let all = json!({"done": DEVICES, "expired": AWAY});
        eventually("the others are told of", async || (programs[0].states(&execution).await? == all).then_some(()))
            .await;
    }
    stop.cancel();
    for device in devices {
        let did = device.await.unwrap();
        let each_once = did.len() == EARLY.len() && did.is_sorted_by(|before, after| before < after);
        assert!(each_once, "each once: {did:?}");
    }
}

#[tokio::test]
async fn a_kill_in_the_middle_of_an_execution_leaves_each_device_doing_it_once() {
    on_both(run_and_kill).await;
}
