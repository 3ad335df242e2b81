//! Accounts, subscriptions and events as the accounts API writes them, beside it.

use std::time::Duration;

use common::{seal::Vault, time::now_ms};
use producer::config::Settings;
use sqlx::{Any, AnyConnection, AssertSqlSafe, any::AnyArguments, query::Query};

use super::{Database, Producer, eventually};

const SECRET_KEY: &str = "the key of the tests";

/// Writes to the producer's database.
pub struct Accounts {
    connection: AnyConnection,
    vault: Vault,
}

/// An account that is to be, or is.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: String,
    pub secret: String,
    pub secret_id: String,
    pub url: String,
}

/// A subscription that is to be, or is.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: String,
    pub account: Account,
    pub profile: i64,
    pub fifo: bool,
    pub rate_per_minute: i64,
    pub headers: Option<&'static str>,
    pub once: bool,
}

impl Subscription {
    /// With the old profile and no wishes.
    pub fn of(account: &Account) -> Self {
        Self {
            id: fresh(),
            account: account.clone(),
            profile: 1,
            fifo: false,
            rate_per_minute: 0,
            headers: None,
            once: false,
        }
    }
}

fn fresh() -> String {
    uuid::Uuid::now_v7().to_string()
}

impl Accounts {
    /// Settings in which every wait is short, for a producer whose accounts these are.
    pub fn settings(database: &Database) -> Settings {
        let mut settings = Producer::settings(database, "http://127.0.0.1:9/hooks");
        settings.common.secret_key = Some(SECRET_KEY.into());
        settings.default_retry = Duration::from_millis(150);
        settings
    }

    /// A producer and its accounts.
    pub async fn start(database: &Database) -> (Producer, Self) {
        Self::run(database, Self::settings(database)).await
    }

    pub async fn run(database: &Database, settings: Settings) -> (Producer, Self) {
        let producer = Producer::run(settings).await;
        (producer, Self { connection: database.connection().await, vault: Vault::new(SECRET_KEY) })
    }

    async fn write(&mut self, query: Query<'_, Any, AnyArguments>) {
        query.execute(&mut self.connection).await.unwrap();
    }

    /// An account whose endpoint is the URL.
    pub async fn account(&mut self, url: &str) -> Account {
        let account = Account { id: fresh(), secret: common::key::random_hex(20), secret_id: fresh(), url: url.into() };
        self.secret(&account, &account.secret_id, &account.secret, None).await;
        let insert = "insert into accounts (id, username, endpoint, api_key_sha256, secret_id, failed_count, created_us) \
                      values ($1, $2, $3, '', $4, 0, $5)";
        let (username, endpoint) = (format!("\"{}\"", account.id), format!("\"{url}\""));
        let query = sqlx::query(insert).bind(&account.id).bind(username).bind(endpoint).bind(&account.secret_id);
        self.write(query.bind(now_ms() * 1000)).await;
        account
    }

    pub async fn secret(&mut self, account: &Account, id: &str, secret: &str, expires_ms: Option<i64>) {
        let insert = "insert into secrets (id, account_id, sealed, created_ms, expires_ms) values ($1, $2, $3, $4, $5)";
        let sealed = self.vault.seal(secret, &account.id);
        let query = sqlx::query(insert).bind(id).bind(&account.id).bind(sealed).bind(now_ms()).bind(expires_ms);
        self.write(query).await;
    }

    pub async fn subscribe(&mut self, subscription: &Subscription) {
        let insert = "insert into subscriptions (id, registration_id, account_id, profile, fifo, rate_per_minute, headers, created_us) \
                      values ($1, 'r', $2, $3, $4, $5, $6, $7)";
        let query = sqlx::query(insert).bind(&subscription.id).bind(&subscription.account.id);
        let query = query.bind(subscription.profile).bind(i64::from(subscription.fifo));
        let query = query.bind(subscription.rate_per_minute).bind(subscription.headers).bind(now_ms() * 1000);
        self.write(query).await;
    }

    /// Queues an event for the subscriptions; gives the deliveries' ids, in their order.
    pub async fn trigger(&mut self, event: Option<&str>, body: &str, subscriptions: &[Subscription]) -> Vec<String> {
        self.queue(event, body, subscriptions, 0).await
    }

    /// The same while the accounts are disabled.
    pub async fn hold(&mut self, body: &str, subscriptions: &[Subscription]) -> Vec<String> {
        self.queue(Some("\"ev.t\""), body, subscriptions, -1).await
    }

    async fn queue(
        &mut self,
        event: Option<&str>,
        body: &str,
        subscriptions: &[Subscription],
        state: i64,
    ) -> Vec<String> {
        let (message, now_ms) = (fresh(), now_ms());
        let insert = "insert into messages (id, kind, body, event, registration_id, created_ms) values ($1, 'webhook', $2, $3, 'r', $4)";
        sqlx::query("begin").execute(&mut self.connection).await.unwrap();
        self.write(sqlx::query(insert).bind(&message).bind(body).bind(event).bind(now_ms)).await;
        let mut ids = Vec::new();
        for subscription in subscriptions {
            let (id, account) = (fresh(), &subscription.account);
            let line = "insert into endpoints (id, url, subscription_id, account_id, created_ms) values ($1, $2, $3, $4, $5) \
                        on conflict (subscription_id, url) do nothing";
            let query = sqlx::query(line).bind(fresh()).bind(&account.url).bind(&subscription.id);
            self.write(query.bind(&account.id).bind(now_ms)).await;
            let delivery = "insert into deliveries (id, message_id, endpoint_id, state, due_ms, created_ms, updated_ms, subscription_id, \
                            account_id, secret_id, profile, once) select $1, $2, id, $3, $4, $4, $4, $5, $6, $7, $8, $9 \
                            from endpoints where subscription_id = $5 and url = $10";
            let query = sqlx::query(delivery).bind(&id).bind(&message).bind(state).bind(now_ms).bind(&subscription.id);
            let query = query.bind(&account.id).bind(&account.secret_id).bind(subscription.profile);
            self.write(query.bind(i64::from(subscription.once)).bind(&account.url)).await;
            ids.push(id);
        }
        sqlx::query("commit").execute(&mut self.connection).await.unwrap();
        ids
    }

    /// Changes rows as the API would.
    pub async fn change(&mut self, sql: String) {
        self.write(sqlx::query(AssertSqlSafe(sql))).await;
    }

    pub async fn number(&mut self, sql: String) -> Option<i64> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection).await.unwrap()
    }

    pub async fn text(&mut self, sql: String) -> Option<String> {
        sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut self.connection).await.unwrap()
    }

    pub async fn failed_count(&mut self, account: &Account) -> i64 {
        self.number(format!("select failed_count from accounts where id = '{}'", account.id)).await.unwrap()
    }

    /// Waits until the delivery is delivered (1) or failed (2); gives that.
    pub async fn ended(&mut self, delivery: &str) -> i64 {
        let sql = format!("select state from deliveries where id = '{delivery}'");
        let this = tokio::sync::Mutex::new(self);
        eventually("the delivery ends", || async {
            this.lock().await.number(sql.clone()).await.filter(|state| *state > 0)
        })
        .await
    }
}
