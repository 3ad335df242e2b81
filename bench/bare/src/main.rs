//! The yardstick of `make bench`: axum handlers that parse a task, or readings of devices, answer `OK`, and do nothing else; and a socket.io server that
//! hands a command to every device and believes what it says, or passes each task on.

mod hooks;

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use anyhow::Context;
use axum::serve::ListenerExt;
use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
};
use tokio::net::TcpListener;

const DEVICES: &str = "/devices";
const USAGE: &str = "usage: bare PORT [sockets|hooks]";

#[derive(Deserialize, Serialize)]
struct Task {
    batchid: String,
    id: u64,
    owner: String,
    priority: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let port = args.next().context(USAGE)?;
    // The layer of the sockets would cost the other handlers something.
    let router = match args.next().as_deref() {
        None => {
            Router::new().route("/consumetasks", post(accept)).route("/consumetasks/devices", post(accept_readings))
        }
        Some("sockets") => sockets(),
        Some("hooks") => hooks::router(),
        Some(_) => anyhow::bail!(USAGE),
    };
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|socket| {
        // Without it the small answers wait for the peer's acknowledgement; a failure only makes the figures worse.
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

async fn accept(Json(_task): Json<Task>) -> &'static str {
    "OK"
}

/// Devices do not say in their headers that it is JSON.
async fn accept_readings(body: String) -> Result<&'static str, StatusCode> {
    serde_json::from_str::<Vec<Value>>(&body).map(|_| "OK").map_err(|_| StatusCode::BAD_REQUEST)
}

/// The socket.io server, and how many calls there were.
type Commanding = (SocketIo, Arc<AtomicI64>);

fn sockets() -> Router {
    let (layer, io) = SocketIo::builder().build_layer();
    io.ns(DEVICES, async |socket: SocketRef| {
        for (event, answer) in [("ack", json!({"execute": true})), ("done", json!({"state": "done"}))] {
            socket.on(event, async move |ack: AckSender| drop(ack.send(&answer)));
        }
    });
    let commanding: Commanding = (io, Arc::default());
    Router::new().route("/public-api/integration/webhooks", post(command_all)).with_state(commanding).layer(layer)
}

async fn command_all(
    State((io, calls)): State<Commanding>,
    Json(call): Json<Value>,
) -> Result<Json<Value>, StatusCode> {
    let devices = io.of(DEVICES).ok_or(StatusCode::INTERNAL_SERVER_ERROR)?;
    let reached = devices.clone().sockets().len();
    let command = json!({"id": calls.fetch_add(1, Ordering::Relaxed) + 1, "execution": call["event_id"],
        "function": "show_toast", "parameters": {"text": "Leave the building"}, "expires_at": "2099-01-01T00:00:00Z"});
    devices.emit("command", &command).await.map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)?;
    Ok(Json(json!({"message": "success", "reached": reached, "queued": 0})))
}
