//! The steady load: webhooks posted straight to the consumers, batches asked of the producers, and events triggered there, each with a known id.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tokio::sync::Mutex as Turn;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::accounts::Accounts;
use crate::support::stack::task;
use crate::support::{eventually, http};

/// Tasks of one batch.
const BATCH: u64 = 20;
/// After a refusal, or when nobody answers, a sender waits so long.
const COME_AGAIN: Duration = Duration::from_millis(50);

/// How much is sent.
#[derive(Clone, Copy)]
pub struct Pace {
    /// Who posts at the same time, and how long each rests between two webhooks.
    posters: usize,
    rest: Duration,
    between_batches: Duration,
    between_events: Duration,
}

impl Pace {
    pub const USUAL: Self = Self {
        posters: 4,
        rest: Duration::from_millis(20),
        between_batches: Duration::from_millis(200),
        between_events: Duration::from_millis(100),
    };
    /// For a crowd, to whom each event is shown a thousand times.
    pub const GENTLE: Self = Self {
        posters: 1,
        rest: Duration::from_millis(100),
        between_batches: Duration::from_secs(2),
        between_events: Duration::from_secs(1),
    };
}

/// What was accepted, and what was said otherwise.
#[derive(Default)]
pub struct Sent {
    /// The `webhook-id` of every webhook that was answered 200.
    pub webhooks: BTreeSet<String>,
    /// The id of every batch that was answered 202, and how many tasks it has.
    pub batches: Vec<(String, u64)>,
    /// Events that an account triggered and that were answered 201: the numbers from 0, one after the other.
    pub events: u64,
    /// How often a sender was told to come again by a clear 5xx.
    pub refused: usize,
    /// Answers that were neither acceptance nor a clear refusal.
    pub unclear: Vec<String>,
}

/// A load that runs until it is stopped. Each sender sends the same again until it is accepted, as every sender of webhooks does.
pub struct Load {
    ledger: Arc<Ledger>,
    consumers: Vec<String>,
    producers: Vec<String>,
    stop: CancellationToken,
    senders: JoinSet<()>,
    probes: AtomicUsize,
}

struct Ledger {
    client: Client,
    accounts: Arc<Accounts>,
    /// Of who triggers the next event: it is brought to acceptance before another one is triggered.
    turn: Turn<()>,
    sent: Mutex<Sent>,
}

/// What an answer means to a sender.
enum Answer {
    Accepted(String),
    ComeAgain,
}

impl Load {
    /// Sends to all of these in turn.
    pub fn start(consumers: &[String], producers: &[String], accounts: Arc<Accounts>, pace: Pace) -> Self {
        let ledger = Ledger { client: http::client(), accounts, turn: Turn::default(), sent: Mutex::default() };
        let ledger = Arc::new(ledger);
        let (stop, mut senders) = (CancellationToken::new(), JoinSet::new());
        for poster in 0..pace.posters {
            let url = consumers[poster % consumers.len()].clone();
            senders.spawn(post_webhooks(ledger.clone(), url, (poster, pace.rest), stop.clone()));
        }
        for producer in producers {
            senders.spawn(ask_for_batches(ledger.clone(), producer.clone(), pace.between_batches, stop.clone()));
        }
        let (consumers, producers) = (consumers.to_vec(), producers.to_vec());
        senders.spawn(trigger_events(ledger.clone(), producers.clone(), pace.between_events, stop.clone()));
        Self { ledger, consumers, producers, stop, senders, probes: AtomicUsize::new(0) }
    }

    /// Webhooks that were accepted until now.
    pub fn accepted(&self) -> usize {
        self.ledger.sent.lock().unwrap().webhooks.len()
    }

    /// Clear refusals until now: 503 with the reason and when to come again.
    pub fn refusals(&self) -> usize {
        self.ledger.sent.lock().unwrap().refused
    }

    /// Sends one webhook to each consumer, asks each producer for a batch of one and triggers an event at each, until all is accepted and delivered.
    pub async fn probe(&self, patience: Duration) {
        let number = self.probes.fetch_add(1, Ordering::Relaxed);
        for (node, url) in self.consumers.iter().enumerate() {
            let id = u64::try_from(number).unwrap();
            let body = task(&format!("probe-{node}"), id);
            let webhook_id = format!("probe-{node}-{number}");
            eventually("a webhook is taken again", patience, async || {
                self.ledger.webhook(url, &webhook_id, &body).await.then_some(())
            })
            .await;
        }
        for url in &self.producers {
            let asked = async || self.ledger.batch(url, 1).await;
            let batch = eventually("a batch is taken again", patience, asked).await;
            eventually("a batch is delivered again", patience, async || {
                let told = http::try_json(&self.ledger.client, &format!("{url}/api/batches/{batch}")).await?;
                (told["state"] == "done").then_some(())
            })
            .await;
            let event = timeout(patience, self.ledger.event(std::slice::from_ref(url)));
            let event = event.await.expect("an event is taken again");
            eventually("an event of an account arrives again", patience, async || {
                self.ledger.accounts.has_arrived(event).then_some(())
            })
            .await;
        }
    }

    /// Lets each sender bring what it has begun to acceptance, and gives what was accepted.
    pub async fn stop(mut self, patience: Duration) -> Sent {
        self.stop.cancel();
        let ended = timeout(patience, async { while self.senders.join_next().await.is_some() {} }).await;
        ended.expect("what was begun is accepted in the end");
        let mut sent = self.ledger.sent.lock().unwrap();
        std::mem::take(&mut *sent)
    }
}

async fn post_webhooks(ledger: Arc<Ledger>, url: String, (poster, rest): (usize, Duration), stop: CancellationToken) {
    for number in 0.. {
        let (id, body) = (format!("direct-{poster}-{number}"), task(&format!("direct-{poster}"), number));
        while !ledger.webhook(&url, &id, &body).await {
            sleep(COME_AGAIN).await;
        }
        if stop.run_until_cancelled(sleep(rest)).await.is_none() {
            return;
        }
    }
}

async fn ask_for_batches(ledger: Arc<Ledger>, url: String, between: Duration, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(between)).await.is_some() {
        ledger.batch(&url, BATCH).await;
    }
}

async fn trigger_events(ledger: Arc<Ledger>, producers: Vec<String>, between: Duration, stop: CancellationToken) {
    while stop.run_until_cancelled(sleep(between)).await.is_some() {
        ledger.event(&producers).await;
    }
}

impl Ledger {
    /// Triggers the next event, at one of these after the other until it is accepted; gives its number.
    async fn event(&self, producers: &[String]) -> u64 {
        let _turn = self.turn.lock().await;
        let number = self.sent.lock().unwrap().events;
        for producer in producers.iter().cycle() {
            let answer = self.accounts.trigger(&self.client, producer, number).send().await;
            // The accounts API says why not as `PyWebhooks` did.
            if let Answer::Accepted(_) = self.read(answer, (201, "Error")).await {
                break;
            }
            sleep(COME_AGAIN).await;
        }
        self.sent.lock().unwrap().events += 1;
        number
    }

    /// Posts one webhook; true when it was accepted.
    async fn webhook(&self, url: &str, id: &str, body: &Value) -> bool {
        let request = self.client.post(format!("{url}/consumetasks")).header("webhook-id", id);
        let request = request.header("content-type", "application/json").body(body.to_string());
        let Answer::Accepted(_) = self.read(request.send().await, (200, "title")).await else { return false };
        self.sent.lock().unwrap().webhooks.insert(id.to_owned());
        true
    }

    /// Asks for one batch; `None` when it was not accepted, and nobody knows whether it is there.
    async fn batch(&self, url: &str, tasks: u64) -> Option<String> {
        let request = self.client.post(format!("{url}/producetasks")).header("accept", "application/json");
        let body = json!({"count": tasks, "wait": 0}).to_string();
        let answer = request.header("content-type", "application/json").body(body).send().await;
        let Answer::Accepted(told) = self.read(answer, (202, "title")).await else { return None };
        let told: Value = serde_json::from_str(&told).unwrap();
        let id = told["id"].as_str().expect("a batch has an id").to_owned();
        self.sent.lock().unwrap().batches.push((id.clone(), tasks));
        Some(id)
    }

    /// Takes an answer apart, and notes what it was if it was no acceptance: `wanted` is the status of one, and the key of the reason in a refusal. A broken
    /// connection says nothing, and is no fault of the answer.
    async fn read(&self, answer: reqwest::Result<Response>, wanted: (u16, &str)) -> Answer {
        let Ok(answer) = answer else { return Answer::ComeAgain };
        let status = answer.status().as_u16();
        let says_when = answer.headers().contains_key("retry-after");
        let Ok(text) = answer.text().await else { return Answer::ComeAgain };
        if status == wanted.0 {
            return Answer::Accepted(text);
        }
        let has_reason = serde_json::from_str::<Value>(&text).is_ok_and(|problem| problem[wanted.1].is_string());
        let mut sent = self.sent.lock().unwrap();
        if status == 503 && says_when && has_reason {
            sent.refused += 1;
        } else {
            sent.unclear.push(format!("{status} {text}"));
        }
        Answer::ComeAgain
    }
}
