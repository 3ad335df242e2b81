//! A producer and a consumer that know each other, on embedded defaults or on PostgreSQL and Redis.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::databases::{Database, Redis};
use super::process::{Process, built, free_port};
use super::{PATIENCE, eventually, http};

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    Embedded,
    PostgresAndRedis,
}

/// Everything that one test runs; all of it ends with this value.
pub struct Stack {
    pub consumer: Service,
    pub producer: Service,
    pub client: Client,
    pub shared: Option<Shared>,
    pub folder: TempDir,
}

/// What the two programs share in the mode for several machines.
pub struct Shared {
    pub redis: Redis,
    pub consumer_database: Database,
    pub producer_database: Database,
}

/// One of our programs, on a port that stays the same over restarts.
pub struct Service {
    pub process: Process,
    pub url: String,
}

impl Stack {
    pub async fn start(mode: Mode) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let shared = match mode {
            Mode::Embedded => None,
            Mode::PostgresAndRedis => Some(Shared::start(folder.path()).await),
        };
        let client = http::client();
        let consumer = Service::start("consumer", folder.path(), &consumer_settings(shared.as_ref()));
        let producer = Service::start("producer", folder.path(), &producer_settings(&consumer.url, shared.as_ref()));
        let mut stack = Self { consumer, producer, client, shared, folder };
        stack.consumer.ready(&stack.client).await;
        stack.producer.ready(&stack.client).await;
        stack
    }

    /// A second consumer on the same database and broker.
    pub async fn another_consumer(&self) -> Service {
        let mut other = Service::start("consumer", self.folder.path(), &consumer_settings(self.shared.as_ref()));
        other.ready(&self.client).await;
        other
    }

    /// Starts a batch and gives its id.
    pub async fn produce(&self, options: &Value) -> String {
        let answer = http::post_json(&self.client, &format!("{}/producetasks", self.producer.url), options).await;
        assert_eq!(answer.status(), 202);
        let batch: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        batch["id"].as_str().expect("a batch has an id").to_owned()
    }

    /// The batch as the producer tells it, once every delivery has come to an end.
    pub async fn ended(&mut self, batch: &str, patience: Duration) -> Value {
        let url = format!("{}/api/batches/{batch}", self.producer.url);
        eventually("the batch ends", patience, async || {
            self.producer.process.assert_alive();
            let told = http::try_json(&self.client, &url).await?;
            (told["state"] == "done").then_some(told)
        })
        .await
    }

    /// The consumer's total, or `None` while it does not answer.
    pub async fn total(&self) -> Option<u64> {
        let counts = http::try_json(&self.client, &format!("{}/api/counts", self.consumer.url)).await?;
        counts["total"].as_u64()
    }
}

impl Shared {
    async fn start(folder: &Path) -> Self {
        Self {
            redis: Redis::start(folder).await,
            consumer_database: Database::create("consumer").await,
            producer_database: Database::create("producer").await,
        }
    }
}

impl Service {
    pub fn start(name: &'static str, folder: &Path, settings: &[(&str, String)]) -> Self {
        let port = free_port();
        let mut command = Command::new(built(name));
        // In a folder of its own, so that neither a developer's .env nor a developer's data is touched.
        command.current_dir(folder).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.env("LISTEN", format!("127.0.0.1:{port}")).envs(settings.iter().map(|(name, value)| (name, value)));
        let process = Process::start(name, command, &folder.join(format!("{name}-{port}.log")));
        Self { process, url: format!("http://127.0.0.1:{port}") }
    }

    pub async fn ready(&mut self, client: &Client) {
        let url = format!("{}/readyz", self.url);
        eventually("the program is ready", PATIENCE, async || {
            self.process.assert_alive();
            client.get(&url).send().await.ok().filter(|answer| answer.status().is_success())
        })
        .await;
    }
}

fn consumer_settings(shared: Option<&Shared>) -> Vec<(&'static str, String)> {
    shared.map_or_else(Vec::new, |shared| {
        vec![("DATABASE_URL", shared.consumer_database.url.clone()), ("BROKER_URL", shared.redis.url())]
    })
}

/// Retries come within seconds instead of hours, and there are enough of them for every outage that a test makes.
fn producer_settings(consumer: &str, shared: Option<&Shared>) -> Vec<(&'static str, String)> {
    let schedule = ["0s", "200ms", "500ms", "1s"].into_iter().chain(std::iter::repeat_n("2s", 60));
    let mut settings = vec![
        ("WEBHOOK_RECEIVER_URL", format!("{consumer}/consumetasks")),
        ("RETRY_SCHEDULE", schedule.collect::<Vec<_>>().join(",")),
    ];
    if let Some(shared) = shared {
        settings.push(("DATABASE_URL", shared.producer_database.url.clone()));
        settings.push(("BROKER_URL", shared.redis.url()));
    }
    settings
}

/// A task as the tutorial's generator sends it.
pub fn task(batch: &str, id: u64) -> Value {
    let priority = ["Low", "Moderate", "Major", "Critical"][usize::try_from(id % 4).unwrap()];
    json!({"batchid": batch, "id": id, "owner": format!("Owner {id}"), "priority": priority})
}
