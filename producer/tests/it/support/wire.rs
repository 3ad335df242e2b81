//! Requests of the accounts API as values, and the answers with everything that can be compared.

use std::net::SocketAddr;

use reqwest::Client;
use serde_json::{Value, json};

/// One request; it says `Content-Type: application/json` unless told otherwise.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    headers: Vec<(String, String)>,
    body: Option<String>,
}

pub fn request(method: &'static str, path: impl Into<String>) -> Request {
    let headers = vec![("content-type".into(), "application/json".into())];
    Request { method, path: path.into(), headers, body: None }
}

pub fn get(path: impl Into<String>) -> Request {
    request("GET", path)
}

pub fn post(path: impl Into<String>) -> Request {
    request("POST", path)
}

pub fn patch(path: impl Into<String>) -> Request {
    request("PATCH", path)
}

pub fn delete(path: impl Into<String>) -> Request {
    request("DELETE", path)
}

impl Request {
    /// In the name of the user.
    pub fn by(self, user: &User) -> Self {
        self.header("username", &user.username).header("api-key", &user.api_key)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|header| !header.0.eq_ignore_ascii_case(name));
        self.headers.push((name.into(), value.into()));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.headers.retain(|header| !header.0.eq_ignore_ascii_case(name));
        self
    }

    pub fn body(mut self, text: &str) -> Self {
        self.body = Some(text.to_owned());
        self
    }

    /// The same to another address.
    pub fn at(self, path: &str) -> Self {
        Self { path: path.to_owned(), ..self }
    }

    pub fn json(self, value: &Value) -> Self {
        self.body(&value.to_string())
    }
}

/// An answer, read to its end.
#[derive(Clone, Debug)]
pub struct Told {
    pub status: u16,
    pub content_type: String,
    /// The methods of the header `Allow`, sorted.
    pub allow: Vec<String>,
    /// The header `Retry-After`; empty when it is absent.
    pub retry_after: String,
    pub text: String,
    /// Null when the text is not JSON.
    pub json: Value,
}

/// Somebody with keys.
#[derive(Clone, Debug, Default)]
pub struct User {
    pub id: String,
    pub username: String,
    pub api_key: String,
    pub secret_key: String,
}

/// A client of the API.
#[derive(Clone)]
pub struct Wire {
    address: SocketAddr,
    client: Client,
}

impl Wire {
    pub fn new(address: SocketAddr, client: Client) -> Self {
        Self { address, client }
    }

    pub async fn send(&self, request: &Request) -> Told {
        let url = format!("http://{}{}", self.address, request.path);
        let mut sending = self.client.request(request.method.parse().unwrap(), url);
        for (name, value) in &request.headers {
            sending = sending.header(name, value);
        }
        if let Some(body) = &request.body {
            sending = sending.body(body.clone());
        }
        let response = sending.send().await.unwrap();
        let header = |name: &str| response.headers().get(name).map_or("", |value| value.to_str().unwrap()).to_owned();
        let (status, content_type) = (response.status().as_u16(), header("content-type"));
        let mut allow: Vec<String> = header("allow")
            .split(',')
            .map(|method| method.trim().to_owned())
            .filter(|method| !method.is_empty())
            .collect();
        allow.sort();
        let retry_after = header("retry-after");
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Told { status, content_type, allow, retry_after, text, json }
    }

    /// Sends what has to succeed, and gives its body.
    pub async fn must(&self, request: &Request) -> Value {
        let told = self.send(request).await;
        assert!(matches!(told.status, 200 | 201), "{request:?} was answered {} {}", told.status, told.text);
        told.json
    }

    /// Makes an account.
    pub async fn join(&self, username: &str, endpoint: &str) -> User {
        let body = json!({ "endpoint": endpoint, "username": username });
        let account = self.must(&post("/v1/account").json(&body)).await;
        let text = |key: &str| account[key].as_str().unwrap().to_owned();
        User { id: text("id"), username: username.into(), api_key: text("api_key"), secret_key: text("secret_key") }
    }

    pub async fn move_to(&self, user: &User, endpoint: &str) {
        self.must(&patch("/v1/account").by(user).json(&json!({ "endpoint": endpoint }))).await;
    }

    /// The user's own record.
    pub async fn account(&self, user: &User) -> Value {
        self.must(&get(format!("/v1/account/{}", user.id)).by(user)).await
    }

    /// Makes a registration; gives its id.
    pub async fn register(&self, user: &User, event: &Value, event_data: &str) -> String {
        let body = format!(r#"{{"description":"d","event":{event},"event_data":{event_data}}}"#);
        let made = self.must(&post("/v1/webhook/registration").by(user).body(&body)).await;
        made["id"].as_str().unwrap().to_owned()
    }

    /// Makes a subscription; gives its id.
    pub async fn subscribe(&self, user: &User, registration: &str) -> String {
        let made = self.must(&post(format!("/v1/webhook/subscription/{registration}")).by(user)).await;
        made["id"].as_str().unwrap().to_owned()
    }

    pub async fn trigger(&self, user: &User, registration: &str) {
        self.must(&post(format!("/v1/webhook/triggered/{registration}")).by(user)).await;
    }
}
