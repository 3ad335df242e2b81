//! Screens: how one is paired, what it shows by itself, what it says that it shows, and the pages of all that.

mod content;
mod gate;
mod pages;
mod pairing;
mod showing;

use reqwest::Response;
use serde_json::{Value, json};

use crate::support::{TestApp, eventually};

/// The key of a screen, of one hexadecimal digit.
fn own_key(digit: char) -> String {
    digit.to_string().repeat(64)
}

/// Asks to be paired; the status and the answer.
async fn ask(app: &TestApp, name: &str, key: &str) -> (u16, Value) {
    let answer = app.post("/screen-api/pairing", &[], json!({"name": name, "key": key}).to_string()).await;
    assert!(!answer.status().is_success() || answer.headers()["cache-control"] == "no-store");
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

/// Asks, and has it accepted; gives the id of the screen.
async fn pair(app: &TestApp, name: &str, key: &str) -> String {
    let (status, told) = ask(app, name, key).await;
    assert_eq!((status, &told["state"]), (200, &json!("waiting")), "{told}");
    let path = format!("/api/pairings/{}/accept", told["code"].as_str().unwrap());
    let answer = app.post(&path, &[], r#"{"groups":["lobby"],"tags":["4k"]}"#).await;
    assert_eq!(answer.status(), 201);
    let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    made["id"].as_str().unwrap().to_owned()
}

/// Asks with a screen's key.
async fn with_key(app: &TestApp, path: &str, key: &str) -> Response {
    app.client.get(app.url(path)).header("x-device-key", key).send().await.unwrap()
}

async fn content(app: &TestApp, key: &str) -> Value {
    let answer = with_key(app, "/screen-api/content", key).await;
    assert_eq!((answer.status().as_u16(), &answer.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}

async fn put(app: &TestApp, path: &str, body: &Value) -> (u16, String) {
    let answer = app.client.put(app.url(path)).body(body.to_string()).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn delete(app: &TestApp, path: &str) -> u16 {
    app.client.delete(app.url(path)).send().await.unwrap().status().as_u16()
}

/// The words of the audit, the newest first.
async fn audit(app: &TestApp) -> Vec<String> {
    let lines = app.json("/api/audit").await["audit"].as_array().unwrap().clone();
    lines.iter().map(|line| line["what"].as_str().unwrap().to_owned()).collect()
}

/// What the list of devices says of this one, once it is as wanted.
async fn listed(app: &TestApp, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
    eventually("the device is as it should be", async || {
        let devices = app.json("/api/action-devices").await["devices"].as_array().unwrap().clone();
        devices.into_iter().find(|device| device["id"] == id && wanted(device))
    })
    .await
}
