//! A consumer of the test's own, on port 0, with a database of its own.

pub mod database;
pub mod evok;
pub mod forms;
pub mod socket;

use std::{
    net::SocketAddr,
    time::{Duration, Instant},
};

use clap::Parser;
use consumer::config::Config;
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use database::{Database, Mode};

/// How long a condition may take to come true.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// A running consumer.
pub struct TestApp {
    pub address: SocketAddr,
    pub client: Client,
    stop: CancellationToken,
    running: JoinHandle<anyhow::Result<()>>,
}

impl TestApp {
    /// On the database, with further settings as on the command line.
    pub async fn start(database: &Database, settings: &[&str]) -> Self {
        Self::start_on("127.0.0.1:0", database, settings).await
    }

    pub async fn start_on(listen: &str, database: &Database, settings: &[&str]) -> Self {
        let listener = TcpListener::bind(listen).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let broker = database.broker_url();
        let mut arguments = vec!["consumer", "--database-url", &database.url];
        if let Some(broker) = &broker {
            arguments.extend(["--broker-url", broker]);
        }
        // A later setting of the same name wins.
        arguments.extend(settings);
        let config = Config::try_parse_from(arguments).unwrap();
        let stop = CancellationToken::new();
        let running = tokio::spawn(consumer::run(config, listener, stop.clone()));
        let app = Self { address: ([127, 0, 0, 1], port).into(), client: client(), stop, running };
        eventually("the consumer is ready", async || app.get("/readyz").await.status().is_success().then_some(()))
            .await;
        app
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub async fn get(&self, path: &str) -> Response {
        self.client.get(self.url(path)).send().await.unwrap()
    }

    pub async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        let status = answer.status();
        let text = answer.text().await.unwrap();
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).unwrap()
    }

    /// Sends a webhook; `headers` are pairs of name and value.
    pub async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<reqwest::Body>) -> Response {
        let mut request = self.client.post(self.url(path)).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request.send().await.unwrap()
    }

    /// Sends a webhook that has to be taken.
    pub async fn take(&self, body: impl Into<String>) {
        let answer = self.post("/consumetasks", &[], body.into()).await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap().as_str()), (200, "OK"));
    }

    pub async fn total(&self) -> i64 {
        self.json("/api/counts").await["total"].as_i64().unwrap()
    }

    /// Every event of the log, in order.
    pub async fn events(&self) -> Vec<Value> {
        let mut events = Vec::<Value>::new();
        loop {
            let since = events.last().map_or(0, |event| event["offset"].as_i64().unwrap());
            let page =
                self.json(&format!("/api/events?since={since}&limit=1000")).await["events"].as_array().unwrap().clone();
            if page.is_empty() {
                return events;
            }
            events.extend(page);
        }
    }

    /// Ends it as SIGTERM does, and waits for the end.
    pub async fn end(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(10), self.running)
            .await
            .expect("it ends within 10 s")
            .unwrap()
            .unwrap();
    }
}

/// A client that looks up no proxy and follows no redirect.
fn client() -> Client {
    // Every test of the process installs the same provider; all but the first are refused, and that is fine.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).timeout(PATIENCE).build().unwrap()
}

/// Waits until `check` gives a value, asking again every 10 ms.
pub async fn eventually<T>(what: &str, mut check: impl AsyncFnMut() -> Option<T>) -> T {
    let end = Instant::now() + PATIENCE;
    loop {
        if let Some(value) = check().await {
            return value;
        }
        assert!(Instant::now() < end, "not within {PATIENCE:?}: {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Runs a test on both modes, each with a fresh database.
pub async fn on_both(test: impl AsyncFn(Database)) {
    for mode in [Mode::Embedded, Mode::Machines] {
        test(Database::create(mode).await).await;
    }
}

/// `count` tasks of one batch as a JSON array.
pub fn tasks(batch: &str, count: usize) -> String {
    let priorities = ["Low", "Moderate", "Major", "Critical"];
    let task = |id: usize| {
        format!(r#"{{"batchid":"{batch}","id":{id},"owner":"Owner {id}","priority":"{}"}}"#, priorities[id % 4])
    };
    format!("[{}]", (0..count).map(task).collect::<Vec<_>>().join(","))
}
