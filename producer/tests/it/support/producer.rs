//! A producer as its users meet it, in a runtime of its own so that it can be killed.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use producer::config::Settings;
use reqwest::{Client, RequestBuilder, Response, redirect};
use serde_json::Value;
use tokio::{net::TcpListener, runtime::Runtime};
use tokio_util::sync::CancellationToken;

use super::{Database, PATIENCE, Receiver, eventually};

pub struct Producer {
    pub address: SocketAddr,
    pub client: Client,
    stop: CancellationToken,
    ended: tokio::sync::oneshot::Receiver<anyhow::Result<()>>,
    runtime: Option<Runtime>,
}

/// An answer, read to its end.
pub struct Reply {
    pub status: u16,
    pub location: String,
    pub json: Value,
    pub text: String,
}

impl Producer {
    /// Settings in which every wait is short.
    pub fn settings(database: &Database, receiver: &str) -> Settings {
        Settings {
            listen: "127.0.0.1:0".parse().unwrap(),
            database_url: database.url.clone(),
            webhook_receiver_url: receiver.parse().unwrap(),
            wait_time: Duration::ZERO,
            retry_schedule: "0,50ms,50ms".parse().unwrap(),
            retry_jitter: 0.0,
            probe_interval: Duration::from_millis(50),
            delivery_timeout: Duration::from_secs(5),
            ..Settings::defaults()
        }
    }

    /// With the settings above.
    pub async fn start(database: &Database, receiver: &Receiver) -> Self {
        Self::run(Self::settings(database, &receiver.url())).await
    }

    pub async fn run(settings: Settings) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let stop = CancellationToken::new();
        let (bound, address) = tokio::sync::oneshot::channel();
        let (end, ended) = tokio::sync::oneshot::channel();
        let token = stop.clone();
        runtime.spawn(async move {
            let listener = TcpListener::bind(settings.listen).await.unwrap();
            bound.send(listener.local_addr().unwrap()).unwrap();
            let _ = end.send(producer::run(settings, listener, token).await);
        });
        let address = address.await.unwrap();
        let address = SocketAddr::new([127, 0, 0, 1].into(), address.port());
        let producer = Self { address, client: http(), stop, ended, runtime: Some(runtime) };
        eventually("the producer is ready", || async { producer.request("GET", "/readyz").send().await.ok() }).await;
        producer
    }

    /// Ends it as SIGTERM does; fails when that takes longer than it may.
    pub async fn stop(self) {
        self.end().await.unwrap();
    }

    /// Ends it so, and gives what it says of that.
    pub async fn end(mut self) -> anyhow::Result<()> {
        self.stop.cancel();
        let ended = tokio::time::timeout(Duration::from_secs(10), &mut self.ended).await;
        ended.expect("it ends within 10 s").unwrap()
    }

    /// Ends it as `kill -9` does: nothing is finished, nothing is said.
    pub fn kill(self) {
        drop(self);
    }

    pub fn request(&self, method: &str, path: &str) -> RequestBuilder {
        self.client.request(method.parse().unwrap(), format!("http://{}{path}", self.address))
    }

    pub async fn get(&self, path: &str) -> Reply {
        Reply::read(self.request("GET", path).send().await.unwrap()).await
    }

    /// Posts a form, asking for JSON.
    pub async fn post(&self, path: &str, form: &str) -> Reply {
        let request = self.request("POST", path).header("accept", "application/json");
        let request = request.header("content-type", "application/x-www-form-urlencoded").body(form.to_owned());
        Reply::read(request.send().await.unwrap()).await
    }

    /// Produces a batch; gives its id.
    pub async fn produce(&self, form: &str) -> String {
        let reply = self.post("/producetasks", form).await;
        assert_eq!(reply.status, 202, "{}", reply.text);
        reply.json["id"].as_str().unwrap().to_owned()
    }

    pub async fn batch(&self, id: &str) -> Value {
        self.get(&format!("/api/batches/{id}")).await.json
    }

    /// Waits until the batch is as it should be.
    pub async fn until(&self, id: &str, what: &str, good: impl Fn(&Value) -> bool) -> Value {
        eventually(what, || async { Some(self.batch(id).await).filter(|batch| good(batch)) }).await
    }

    /// Waits until nothing of the batch is pending.
    pub async fn done(&self, id: &str) -> Value {
        self.until(id, "the batch ends", |batch| !batch["ended_at"].is_null()).await
    }

    pub async fn lines(&self, id: &str) -> Vec<Value> {
        let mut lines: Vec<Value> = Vec::new();
        loop {
            let after = lines.last().map_or(0, |line| line["seq"].as_i64().unwrap());
            let page = self.get(&format!("/api/batches/{id}/lines?after={after}&limit=1000")).await.json;
            let page = page["lines"].as_array().unwrap().clone();
            if page.is_empty() {
                return lines;
            }
            lines.extend(page);
        }
    }

    /// The batch's deliveries, in its order.
    pub async fn deliveries(&self, id: &str) -> Vec<Value> {
        let reply = self.get(&format!("/api/deliveries?batch={id}&limit=500")).await;
        reply.json["deliveries"].as_array().unwrap().clone()
    }
}

impl Drop for Producer {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Reply {
    pub async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let location = response.headers().get("location").map_or("", |value| value.to_str().unwrap()).to_owned();
        let text = response.text().await.unwrap();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        Self { status, location, json, text }
    }
}

/// A client that follows nothing and trusts nobody.
pub fn http() -> Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let tls = tls.with_root_certificates(rustls::RootCertStore::empty()).with_no_client_auth();
    let builder = Client::builder().no_proxy().redirect(redirect::Policy::none()).timeout(PATIENCE);
    builder.tls_backend_preconfigured(tls).build().unwrap()
}
