//! The few HTTP requests that tests make.

use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::Value;

/// A client that looks up no proxy and follows no redirect.
pub fn client() -> Client {
    // The provider is the same for every test of this process; the second installation is refused, and that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(20))
        .build()
        .unwrap()
}

/// The JSON at `url`, or `None` when nobody answers or the answer is not a success.
pub async fn try_json(client: &Client, url: &str) -> Option<Value> {
    let answer = client.get(url).send().await.ok()?;
    if !answer.status().is_success() {
        return None;
    }
    serde_json::from_str(&answer.text().await.ok()?).ok()
}

pub async fn json(client: &Client, url: &str) -> Value {
    try_json(client, url).await.unwrap_or_else(|| panic!("no JSON at {url}"))
}

pub async fn post_json(client: &Client, url: &str, body: &Value) -> Response {
    let request = client.post(url).header("content-type", "application/json").header("accept", "application/json");
    request.body(body.to_string()).send().await.unwrap_or_else(|error| panic!("POST {url}: {error}"))
}
