//! The endpoint of what is delivered: parses the JSON as the bare handler does, answers `{}`, and knows of each path what arrived, each `webhook-id` once.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, PoisonError},
    time::{SystemTime, UNIX_EPOCH},
};

use anyhow::Context;
use axum::serve::ListenerExt;
use axum::{
    Json, Router,
    body::Bytes,
    extract::{Path, Query, State},
    http::{HeaderMap, StatusCode, header},
    routing::get,
};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What arrived at a path.
#[derive(Default)]
struct Arrived {
    requests: u64,
    signed: u64,
    ids: HashSet<Box<[u8]>>,
    first_us: u128,
    last_us: u128,
}

type Paths = Arc<Mutex<HashMap<String, Arrived>>>;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let port = std::env::args().nth(1).context("usage: receiver PORT")?;
    let router = Router::new()
        .route("/to/{path}", get(echo).post(take))
        .route("/of/{path}", get(tell).delete(forget))
        .with_state(Paths::default());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).await?;
    let listener = listener.tap_io(|socket| {
        // Without it the small answers wait for the peer's acknowledgement; a failure only makes the figures worse.
        let _ = socket.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(())
}

async fn take(
    State(paths): State<Paths>,
    Path(path): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<([(header::HeaderName, &'static str); 1], &'static str), StatusCode> {
    serde_json::from_slice::<IgnoredAny>(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let id = headers.get("webhook-id").map_or(&[][..], |id| id.as_bytes());
    let now_us = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let mut paths = paths.lock().unwrap_or_else(PoisonError::into_inner);
    let arrived = paths.entry(path).or_default();
    arrived.requests += 1;
    arrived.signed += u64::from(headers.contains_key("webhook-signature"));
    arrived.ids.insert(id.into());
    if arrived.first_us == 0 {
        arrived.first_us = now_us;
    }
    arrived.last_us = now_us;
    Ok(([(header::CONTENT_TYPE, "application/json")], "{}"))
}

/// An account's endpoint says back what it is asked.
async fn echo(Query(query): Query<HashMap<String, String>>) -> Json<Value> {
    Json(query.get("echo").map_or_else(|| json!({}), |echo| json!({ "echo": echo })))
}

async fn tell(State(paths): State<Paths>, Path(path): Path<String>) -> Json<Value> {
    let mut paths = paths.lock().unwrap_or_else(PoisonError::into_inner);
    let Arrived { requests, signed, ids, first_us, last_us } = paths.entry(path).or_default();
    Json(json!({ "requests": requests, "signed": signed, "distinct": ids.len(),
        "first_ms": milliseconds(*first_us), "last_ms": milliseconds(*last_us) }))
}

async fn forget(State(paths): State<Paths>, Path(path): Path<String>) -> StatusCode {
    paths.lock().unwrap_or_else(PoisonError::into_inner).remove(&path);
    StatusCode::NO_CONTENT
}

#[expect(clippy::cast_precision_loss, reason = "microseconds since 1970 are below 2^53")]
fn milliseconds(microseconds: u128) -> f64 {
    microseconds as f64 / 1000.0
}
