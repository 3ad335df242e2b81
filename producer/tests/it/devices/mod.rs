//! Reading hardware: what a simulated Evok and this machine say arrives as webhooks, whatever breaks meanwhile.

mod delivery;
mod hardware;
mod kept;
mod modbus;
mod mqtt;
mod program;
mod sources;

use std::{fmt::Write, path::PathBuf};

use producer::config::Settings;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Database, Producer,
    endpoint::{Call, Endpoint},
    eventually,
    evok::Evok,
};

/// Where a source named `boiler` sends to in these tests.
const PATH: &str = "/tasks/boiler";

/// A file of devices that is gone with it.
struct File {
    path: PathBuf,
    _folder: TempDir,
}

impl File {
    fn of(text: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("devices.yaml");
        std::fs::write(&path, text).unwrap();
        Self { path, _folder: folder }
    }

    /// One source, `boiler`, at the device, with these keys more.
    fn boiler(evok: &Evok, keys: &[&str]) -> Self {
        let mut text =
            format!("sources:\n  - name: boiler\n    evok: {{url: \"{}\", ping_interval: 200ms}}\n", evok.url());
        for key in keys {
            writeln!(text, "    {key}").unwrap();
        }
        Self::of(&text)
    }
}

fn di(circuit: &str, counter: u64) -> String {
    format!(r#"{{"dev": "di", "circuit": "{circuit}", "value": 1, "counter": {counter}}}"#)
}

fn ai(value: &str) -> String {
    format!(r#"{{"dev": "ai", "circuit": "2_01", "value": {value}, "unit": "V"}}"#)
}

/// A producer that reads the file and sends to the endpoint below `/tasks`.
async fn producer(database: &Database, endpoint: &Endpoint, file: &File) -> Producer {
    Producer::run(settings(database, endpoint, file)).await
}

fn settings(database: &Database, endpoint: &Endpoint, file: &File) -> Settings {
    let settings = Producer::settings(database, &endpoint.url("/tasks"));
    Settings { devices: Some(file.path.clone()), ..settings }
}

fn text(call: &Call) -> &str {
    std::str::from_utf8(&call.body).unwrap()
}

/// The devices that arrived there, in their order, without repeats of one webhook.
fn devices(calls: &[Call]) -> Vec<Value> {
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for call in calls {
        let id = call.text("webhook-id").to_owned();
        if !seen.contains(&id) {
            seen.push(id);
            all.extend(serde_json::from_slice::<Vec<Value>>(&call.body).unwrap());
        }
    }
    all
}

fn counters(calls: &[Call], circuit: &str) -> Vec<u64> {
    let devices = devices(calls);
    devices
        .iter()
        .filter(|device| device["circuit"] == circuit)
        .map(|device| device["counter"].as_u64().unwrap())
        .collect()
}

/// Waits until the device has said so many things.
async fn counted(endpoint: &Endpoint, circuit: &str, last: u64) -> Vec<u64> {
    let what = format!("{circuit} counts to {last}");
    let look =
        || async { Some(counters(&endpoint.calls("POST", PATH), circuit)).filter(|found| found.contains(&last)) };
    eventually(&what, look).await
}

async fn status(producer: &Producer) -> Value {
    producer.get("/api/devices").await.json["sources"][0].clone()
}

async fn until(producer: &Producer, what: &str, good: impl Fn(&Value) -> bool) -> Value {
    eventually(what, || async { Some(status(producer).await).filter(|status| good(status)) }).await
}
