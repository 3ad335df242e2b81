//! Accounts that trigger: one offers an event, and three listen, whose endpoint notes what arrives.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::routing::get;
use axum::{Json, Router};
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::STAGE;
use crate::support::stack::Stack;
use crate::support::{eventually, http};

/// Who listens, and whether each waits for its turn.
const LISTENERS: [(&str, bool); 3] = [("first", false), ("second", false), ("in-order", true)];

/// They are on the database of the producer that they were made at, and so at every producer on it.
pub struct Accounts {
    owner: Account,
    registration: String,
    listeners: Vec<Listener>,
    arrivals: Arc<Mutex<Vec<Arrival>>>,
    endpoint: JoinHandle<()>,
}

struct Account {
    username: &'static str,
    api_key: String,
}

struct Listener {
    account: Account,
    in_order: bool,
}

/// What came to a listener: which event, and the `webhook-id`, which is that of the delivery.
struct Arrival {
    listener: String,
    number: u64,
    delivery: String,
}

/// What differs from what was accepted.
#[derive(Default)]
pub struct Differences {
    pub lost: usize,
    pub twice: usize,
    pub wrong: Vec<String>,
}

impl Accounts {
    /// Makes the accounts, the event and the subscriptions.
    pub async fn found(client: &Client, producer: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, arrivals) = (listener.local_addr().unwrap(), Arc::<Mutex<Vec<Arrival>>>::default());
        let paths = Router::new().route("/{listener}", get(echo).post(arrives)).with_state(arrivals.clone());
        let endpoint = tokio::spawn(async move { axum::serve(listener, paths).await.unwrap() });
        let owner = Account::join(client, producer, "owner", address).await;
        let offer = json!({"event": "counted", "description": "One more was counted", "event_data": 0});
        let registration = owner.made(client, &format!("{producer}/v1/webhook/registration"), &offer).await;
        let mut listeners = Vec::new();
        for (name, in_order) in LISTENERS {
            let account = Account::join(client, producer, name, address).await;
            let at = format!("{producer}/v1/webhook/subscription");
            let subscription = account.made(client, &format!("{at}/{registration}"), &json!({})).await;
            let options = client.patch(format!("{at}/{subscription}/options"));
            let set = account.signs(options).body(json!({"fifo": in_order}).to_string()).send().await.unwrap();
            assert_eq!(set.status(), 200);
            listeners.push(Listener { account, in_order });
        }
        Self { owner, registration, listeners, arrivals, endpoint }
    }

    /// The request that triggers this event: the same one again has no further effect.
    pub fn trigger(&self, client: &Client, producer: &str, number: u64) -> RequestBuilder {
        let request = client.post(format!("{producer}/v1/webhook/triggered/{}", self.registration));
        let request = self.owner.signs(request).header("idempotency-key", format!("number {number}"));
        request.body(json!({"event_data": number}).to_string())
    }

    /// Whether the event is with everybody who does not wait for a turn.
    pub fn has_arrived(&self, number: u64) -> bool {
        let arrivals = self.arrivals.lock().unwrap();
        let is_with = |name: &str| arrivals.iter().any(|arrival| arrival.number == number && arrival.listener == name);
        self.listeners.iter().filter(|listener| !listener.in_order).all(|listener| is_with(listener.account.username))
    }

    /// Compares with the numbers below `accepted`, once nothing waits any more.
    pub async fn differences(&self, stack: &Stack, accepted: u64) -> Differences {
        let mut differences = Differences::default();
        for listener in &self.listeners {
            let url = format!("{}/v1/webhook/deliveries", stack.producer.url);
            listener.account.waits_for_nothing(&stack.client, &url).await;
            let deliveries = listener.account.deliveries(&stack.client, &url).await;
            self.compare(listener, &deliveries, accepted, &mut differences);
        }
        differences
    }

    /// Each event arrived under one id, which the producer calls delivered, and nothing else did.
    fn compare(&self, listener: &Listener, deliveries: &[Value], accepted: u64, differences: &mut Differences) {
        let name = listener.account.username;
        let (mut arrived, mut order) = (BTreeMap::<u64, BTreeSet<String>>::new(), Vec::new());
        for Arrival { number, delivery, .. } in
            self.arrivals.lock().unwrap().iter().filter(|arrival| arrival.listener == name)
        {
            let ids = arrived.entry(*number).or_default();
            order.extend(ids.is_empty().then_some(*number));
            ids.insert(delivery.clone());
        }
        let lost = (0..accepted).filter(|number| !arrived.contains_key(number)).count();
        let twice: usize = arrived.values().map(|ids| ids.len() - 1).sum();
        let ids: BTreeSet<&str> = arrived.values().flatten().map(String::as_str).collect();
        let delivered = deliveries.iter().filter(|delivery| delivery["status"] == "delivered");
        let recorded: BTreeSet<&str> = delivered.map(|delivery| delivery["id"].as_str().unwrap()).collect();
        let wrong = [
            (lost > 0, format!("{lost} of {accepted} events never came")),
            (twice > 0, format!("{twice} events came under a second id")),
            (arrived.keys().any(|number| *number >= accepted), "nobody triggered some of what came".to_owned()),
            (recorded.len() < deliveries.len(), "a delivery did not end as delivered".to_owned()),
            (recorded != ids, format!("{} are called delivered, {} came", recorded.len(), ids.len())),
            (listener.in_order && !order.is_sorted(), format!("the order was {order:?}")),
        ];
        let wrong = wrong.into_iter().filter(|(is_wrong, _)| *is_wrong);
        differences.wrong.extend(wrong.map(|(_, text)| format!("the listener {name}: {text}")));
        differences.lost += lost;
        differences.twice += twice;
    }
}

impl Drop for Accounts {
    fn drop(&mut self) {
        self.endpoint.abort();
    }
}

impl Account {
    async fn join(client: &Client, producer: &str, username: &'static str, endpoint: SocketAddr) -> Self {
        let body = json!({"username": username, "endpoint": format!("http://{endpoint}/{username}")});
        let answer = http::post_json(client, &format!("{producer}/v1/account"), &body).await;
        let account: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        let api_key = account["api_key"].as_str().unwrap_or_else(|| panic!("{username}: {account}")).to_owned();
        Self { username, api_key }
    }

    fn signs(&self, request: RequestBuilder) -> RequestBuilder {
        let request = request.header("username", self.username).header("api-key", &self.api_key);
        request.header("content-type", "application/json")
    }

    /// Makes something; gives its id.
    async fn made(&self, client: &Client, url: &str, what: &Value) -> String {
        let answer = self.signs(client.post(url)).body(what.to_string()).send().await.unwrap();
        let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        made["id"].as_str().unwrap_or_else(|| panic!("{url}: {made}")).to_owned()
    }

    async fn waits_for_nothing(&self, client: &Client, url: &str) {
        let what = format!("nothing waits for {}", self.username);
        eventually(&what, STAGE, async || {
            let page = self.page(client, &format!("{url}?status=waiting&limit=1")).await?;
            page["deliveries"].as_array()?.is_empty().then_some(())
        })
        .await;
    }

    /// All that were ever made for it.
    async fn deliveries(&self, client: &Client, url: &str) -> Vec<Value> {
        let (mut deliveries, mut cursor) = (Vec::new(), String::new());
        loop {
            let mut page = self.page(client, &format!("{url}?limit=500{cursor}")).await.expect("a page of deliveries");
            deliveries.append(page["deliveries"].as_array_mut().unwrap());
            match page["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return deliveries,
            }
        }
    }

    async fn page(&self, client: &Client, url: &str) -> Option<Value> {
        let answer = self.signs(client.get(url)).send().await.ok()?.error_for_status().ok()?;
        serde_json::from_str(&answer.text().await.ok()?).ok()
    }
}

/// The handshake: the query comes back.
async fn echo(Query(query): Query<HashMap<String, String>>) -> Json<HashMap<String, String>> {
    Json(query)
}

/// An account's endpoint answers with JSON, as with `PyWebhooks`.
async fn arrives(
    State(arrivals): State<Arc<Mutex<Vec<Arrival>>>>,
    Path(listener): Path<String>,
    headers: HeaderMap,
    body: String,
) -> Json<Value> {
    let delivery = headers["webhook-id"].to_str().unwrap().to_owned();
    arrivals.lock().unwrap().push(Arrival { listener, number: body.trim().parse().unwrap(), delivery });
    Json(json!({}))
}
