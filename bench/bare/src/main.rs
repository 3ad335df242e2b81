//! The yardstick of `make bench`: axum handlers that parse a task, or readings of devices, answer `OK`, and do nothing else.

use anyhow::Context;
use axum::serve::ListenerExt;
use axum::{Json, Router, http::StatusCode, routing::post};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::TcpListener;

#[derive(Deserialize)]
#[expect(dead_code, reason = "parsing the four fields is the work that is measured")]
struct Task {
    batchid: String,
    id: u64,
    owner: String,
    priority: String,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).context("usage: bare PORT")?;
    let router =
        Router::new().route("/consumetasks", post(accept)).route("/consumetasks/devices", post(accept_readings));
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
