//! An account's endpoint: it takes part in every handshake, and each of its paths can be told to say something else.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use axum::{
    Router,
    body::{Body, Bytes},
    extract::State,
    http::{HeaderMap, Method, Uri},
    response::Response,
};
use serde_json::{Value, json};
use tokio::{net::TcpListener, task::JoinHandle};

use super::eventually;

/// A request that arrived.
#[derive(Clone, Debug)]
pub struct Call {
    pub method: String,
    /// The path and the query, as they were on the wire.
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    pub at: Instant,
}

impl Call {
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(&self.target, |(path, _)| path)
    }

    fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }

    /// The first value of the query's field; names and values are not decoded.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.query().split('&').filter_map(|pair| pair.split_once('=')).find(|pair| pair.0 == name).map(|pair| pair.1)
    }

    /// The header's bytes; `None` when it is absent.
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers.get(name).map(http::HeaderValue::as_bytes)
    }

    pub fn text(&self, name: &str) -> &str {
        self.header(name).and_then(|value| std::str::from_utf8(value).ok()).unwrap_or_default()
    }
}

/// What a path says.
#[derive(Clone, Debug)]
pub struct Say {
    status: u16,
    headers: Vec<(&'static str, String)>,
    words: Words,
    delay: Duration,
}

#[derive(Clone, Debug)]
enum Words {
    /// What a good endpoint says: the echo, or an empty object.
    Usual,
    Fixed(Vec<u8>),
    /// The echo as bare text.
    Bare,
    /// The echo and one key more.
    Extra,
    /// Onward to this path, with the query that came.
    Onward(&'static str),
}

impl Say {
    pub fn usual() -> Self {
        Self { status: 200, headers: Vec::new(), words: Words::Usual, delay: Duration::ZERO }
    }

    pub fn status(status: u16) -> Self {
        Self { status, ..Self::usual() }
    }

    pub fn text(text: &str) -> Self {
        Self { words: Words::Fixed(text.into()), ..Self::usual() }.with("content-type", "text/plain")
    }

    pub fn json(value: &Value) -> Self {
        Self { words: Words::Fixed(value.to_string().into()), ..Self::usual() }
    }

    pub fn bytes(bytes: Vec<u8>) -> Self {
        Self { words: Words::Fixed(bytes), ..Self::usual() }
    }

    pub fn bare() -> Self {
        Self { words: Words::Bare, ..Self::usual() }
    }

    pub fn extra() -> Self {
        Self { words: Words::Extra, ..Self::usual() }
    }

    pub fn redirect(status: u16, to: &'static str) -> Self {
        Self { words: Words::Onward(to), ..Self::status(status) }
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.headers.push((name, value.to_owned()));
        self
    }

    /// Says it after this time only.
    pub fn after(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    fn response(&self, call: &Call) -> Response {
        let echo = call.field("echo");
        let usual = echo.map_or_else(|| json!({}), |echo| json!({ "echo": echo }));
        let body = match &self.words {
            Words::Usual => usual.to_string().into(),
            Words::Fixed(bytes) => bytes.clone(),
            Words::Bare => echo.unwrap_or_default().into(),
            Words::Extra => json!({ "echo": echo, "more": [1] }).to_string().into(),
            Words::Onward(_) => Vec::new(),
        };
        let body = if self.status == 204 { Vec::new() } else { body };
        let mut response = Response::builder().status(self.status);
        if let Words::Onward(to) = self.words {
            let mark = if call.query().is_empty() { "" } else { "?" };
            response = response.header("location", format!("{to}{mark}{}", call.query()));
        }
        if !self.headers.iter().any(|(name, _)| *name == "content-type") {
            response = response.header("content-type", "application/json");
        }
        for (name, value) in &self.headers {
            response = response.header(*name, value);
        }
        response.body(Body::from(body)).unwrap()
    }
}

#[derive(Default)]
struct Shared {
    calls: Mutex<Vec<Call>>,
    /// By method and path: what is said first, second, …; the last is repeated.
    scripts: Mutex<HashMap<(String, String), Vec<Say>>>,
}

/// Listens on a port of its own until it is dropped.
pub struct Endpoint {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

impl Endpoint {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let router = Router::new().fallback(receive).with_state(Arc::clone(&shared));
        let serving = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, shared, serving }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// From now on the path says this.
    pub fn script(&self, method: &str, path: &str, say: Say) {
        self.in_turn(method, path, &[say]);
    }

    /// From now on the path says these one after the other, and the last from then on.
    pub fn in_turn(&self, method: &str, path: &str, says: &[Say]) {
        let mut says = says.to_vec();
        says.reverse();
        self.shared.scripts.lock().unwrap().insert((method.to_owned(), path.to_owned()), says);
    }

    /// Whatever arrived at the path, in its order.
    pub fn calls(&self, method: &str, path: &str) -> Vec<Call> {
        let calls = self.shared.calls.lock().unwrap();
        calls.iter().filter(|call| call.method == method && call.path() == path).cloned().collect()
    }

    /// How many arrived at the path.
    pub fn count(&self, method: &str, path: &str) -> usize {
        let calls = self.shared.calls.lock().unwrap();
        calls.iter().filter(|call| call.method == method && call.path() == path).count()
    }

    /// Waits until so many requests have arrived at the path.
    pub async fn arrived(&self, method: &str, path: &str, count: usize) -> Vec<Call> {
        let what = format!("{count} × {method} {path}");
        eventually(&what, || async { Some(self.calls(method, path)).filter(|calls| calls.len() >= count) }).await
    }
}

impl Drop for Endpoint {
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
    let target = uri.path_and_query().map_or_else(|| uri.path().to_owned(), ToString::to_string);
    let call = Call { method: method.to_string(), target, headers, body, at: Instant::now() };
    let say = {
        shared.calls.lock().unwrap().push(call.clone());
        let mut scripts = shared.scripts.lock().unwrap();
        match scripts.get_mut(&(call.method.clone(), call.path().to_owned())) {
            Some(says) if says.len() > 1 => says.pop(),
            Some(says) => says.first().cloned(),
            None => None,
        }
    };
    let say = say.unwrap_or_else(Say::usual);
    tokio::time::sleep(say.delay).await;
    say.response(&call)
}
