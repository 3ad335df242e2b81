//! A receiver whose answers change in the middle of a test.

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, Method, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};

use super::eventually;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Hook {
    pub method: String,
    pub path: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub at: Instant,
}

impl Hook {
    pub fn header(&self, name: &str) -> String {
        self.headers.get(name).unwrap_or_else(|| panic!("no header {name}")).to_str().unwrap().to_owned()
    }

    pub fn id(&self) -> String {
        self.header("webhook-id")
    }

    pub fn task(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// What the receiver says.
#[derive(Clone, Debug)]
pub struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    delay: Duration,
    body: Bytes,
}

impl Answer {
    pub fn status(status: u16) -> Self {
        Self { status, headers: Vec::new(), delay: Duration::ZERO, body: Bytes::from_static(b"answered\n") }
    }

    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    /// 200 with JSON, as receivers of `PyWebhooks` say it.
    pub fn json() -> Self {
        Self::status(200).body("{}")
    }

    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        self
    }

    /// Says it after this time only.
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }
}

type Script = Box<dyn Fn(usize, &Hook) -> Answer + Send>;

struct Shared {
    hooks: Mutex<Vec<Hook>>,
    script: Mutex<Script>,
}

/// Listens on a port of its own until it is dropped.
pub struct Receiver {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Receiver {
    /// Says 200 to everything until told otherwise.
    pub async fn start() -> Self {
        Self::at("127.0.0.1:0".parse().unwrap()).await
    }

    pub async fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).await.unwrap();
        let shared =
            Arc::new(Shared { hooks: Mutex::default(), script: Mutex::new(Box::new(|_, _| Answer::status(200))) });
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, serving }
    }

    /// An address on which nothing listens.
    pub async fn nobody() -> SocketAddr {
        TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    /// From now on the `n`-th request from here (from 0) is answered so.
    pub fn answer(&self, script: impl Fn(usize, &Hook) -> Answer + Send + 'static) {
        let from = self.hooks().len();
        *self.shared.script.lock().unwrap() = Box::new(move |number, hook| script(number - from, hook));
    }

    pub fn always(&self, answer: Answer) {
        self.answer(move |_, _| answer.clone());
    }

    pub fn hooks(&self) -> Vec<Hook> {
        self.shared.hooks.lock().unwrap().clone()
    }

    /// Waits until so many requests have arrived in all.
    pub async fn arrived(&self, count: usize) -> Vec<Hook> {
        eventually(&format!("{count} requests"), || async { Some(self.hooks()).filter(|hooks| hooks.len() >= count) })
            .await
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn receive(
    State(shared): State<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let (method, path) = (method.to_string(), uri.to_string());
    let hook = Hook { method, path, headers, body, at: Instant::now() };
    let answer = {
        let mut hooks = shared.hooks.lock().unwrap();
        hooks.push(hook.clone());
        (shared.script.lock().unwrap())(hooks.len() - 1, &hook)
    };
    tokio::time::sleep(answer.delay).await;
    let mut response = (StatusCode::from_u16(answer.status).unwrap(), answer.body).into_response();
    for (name, value) in answer.headers {
        response.headers_mut().insert(name, value.parse().unwrap());
    }
    response
}
