//! A producer with its administrator, as `producer initdb` makes it, and an endpoint for whoever joins.

use std::{process::Stdio, time::Duration};

use producer::config::Settings;
use serde_json::Value;
use sqlx::AssertSqlSafe;
use tokio::process::Command;

use super::{
    Database, Producer,
    endpoint::Endpoint,
    eventually,
    wire::{User, Wire, get},
};

pub const SECRET_KEY: &str = "contract test";
/// `DEFAULT_RETRY` of the tests.
pub const RETRY: Duration = Duration::from_millis(200);

pub struct Stage {
    pub endpoint: Endpoint,
    pub admin: User,
    pub wire: Wire,
    pub producer: Producer,
    database: Database,
}

impl Stage {
    pub async fn set(database: Database) -> Self {
        Self::with(database, |settings| settings).await
    }

    /// With other settings than usual.
    pub async fn with(database: Database, change: impl FnOnce(Settings) -> Settings) -> Self {
        let endpoint = Endpoint::start().await;
        let mut admin = initialise(&database).await;
        let mut settings = Producer::settings(&database, &endpoint.url("/tasks"));
        settings.default_retry = RETRY;
        settings.common.secret_key = Some(SECRET_KEY.into());
        let producer = Producer::run(change(settings)).await;
        let wire = Wire::new(producer.address, producer.client.clone());
        let accounts = wire.must(&get("/v1/accounts?start=0&limit=1").by(&admin)).await;
        accounts["accounts"][0]["id"].as_str().unwrap().clone_into(&mut admin.id);
        Self { endpoint, admin, wire, producer, database }
    }

    /// An account whose endpoint is the path.
    pub async fn join(&self, username: &str, path: &str) -> User {
        self.wire.join(username, &self.endpoint.url(path)).await
    }

    /// An account at the path that takes the registration's events; the path is `/` and its name.
    pub async fn follower(&self, username: &str, registration: &str) -> User {
        let user = self.join(username, &format!("/{username}")).await;
        self.wire.subscribe(&user, registration).await;
        user
    }

    /// Changes rows that only time would change; gives how many.
    pub async fn change(&self, sql: &str) -> u64 {
        let mut connection = self.database.connection().await;
        sqlx::query(AssertSqlSafe(sql)).execute(&mut connection).await.unwrap().rows_affected()
    }

    /// The number that the statement gives.
    pub async fn number(&self, sql: &str) -> i64 {
        let mut connection = self.database.connection().await;
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut connection).await.unwrap()
    }

    /// The texts that the statement gives.
    pub async fn texts(&self, sql: &str) -> Vec<String> {
        let mut connection = self.database.connection().await;
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap()
    }

    /// Another producer on the same database, where that can have two; else this one again.
    pub async fn neighbour(&self) -> (Option<Producer>, Wire) {
        if !self.database.is_postgres() {
            return (None, self.wire.clone());
        }
        let mut settings = Producer::settings(&self.database, &self.endpoint.url("/tasks"));
        settings.common.secret_key = Some(SECRET_KEY.into());
        let producer = Producer::run(settings).await;
        let wire = Wire::new(producer.address, producer.client.clone());
        (Some(producer), wire)
    }

    /// Waits until so many failures in a row are counted.
    pub async fn failed(&self, user: &User, count: i64) {
        let what = format!("{} has failed_count {count}", user.username);
        eventually(&what, || async { (self.wire.account(user).await["failed_count"] == count).then_some(()) }).await;
    }

    /// Waits until a delivery that is triggered now has had three attempts: two times `DEFAULT_RETRY` at least.
    ///
    /// By then whatever else was to be sent by that time has arrived.
    pub async fn two_retries_later(&self, name: &str) {
        let path = format!("/{name}");
        self.endpoint.script("POST", &path, super::endpoint::Say::status(500));
        let user = self.join(name, &path).await;
        let registration = self.wire.register(&user, &"marker".into(), "{}").await;
        self.wire.subscribe(&user, &registration).await;
        self.wire.trigger(&user, &registration).await;
        self.endpoint.arrived("POST", &path, 3).await;
    }
}

/// Runs `producer initdb`, whose five lines are those of the README; gives the administrator it made, still without the id.
pub async fn initialise(database: &Database) -> User {
    let mut command = Command::new(env!("CARGO_BIN_EXE_producer"));
    command.arg("initdb").env_clear().current_dir(std::env::temp_dir()).stdin(Stdio::null()).kill_on_drop(true);
    command.env("DATABASE_URL", &database.url).env("DURABILITY", "normal").env("SECRET_KEY", SECRET_KEY);
    let output = command.output().await.unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    assert!(output.status.success(), "initdb: {output:?}");
    let lines: Vec<&str> = text.lines().collect();
    let [dropping, creating, adding, keys, complete] = lines[..] else {
        panic!("initdb does not print five lines: {text}")
    };
    let said = [dropping, creating, adding, complete];
    assert_eq!(said, ["Dropping database...", "Creating database...", "Adding admin account", "Complete"]);
    let admin = read_keys(keys).unwrap_or_else(|| panic!("initdb prints other keys than Python would: {keys}"));
    assert_eq!(keys, format!("{{'secret_key': '{}', 'api_key': '{}'}}", admin.secret_key, admin.api_key));
    assert!(is_hex40(&admin.secret_key) && is_hex40(&admin.api_key), "{keys}");
    admin
}

fn read_keys(line: &str) -> Option<User> {
    let keys: Value = serde_json::from_str(&line.replace('\'', "\"")).ok()?;
    let text = |name: &str| keys[name].as_str().map(str::to_owned);
    Some(User {
        username: "admin".into(),
        api_key: text("api_key")?,
        secret_key: text("secret_key")?,
        ..User::default()
    })
}

/// Whether it is a key as PyWebhooks makes them.
pub fn is_hex40(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}
