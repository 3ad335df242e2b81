//! Receivers that answer 500, hang, reset, send headers or ten gigabytes for ever, or redirect in a circle, beside a good one under load.

use std::time::Duration;

use serde_json::{Value, json};

use super::bad_receiver::{BadReceiver, FAULTS, Fault};
use super::{Expected, STAGE, Trial, often, until};
use crate::support::http;
use crate::support::stack::{Mode, Settings, Stack};

/// What an attempt takes at most, so that a receiver that hangs is tried often; and what recording it may take besides.
const TIMEOUT: &str = "1s";
const LONGEST_ATTEMPT: Duration = Duration::from_secs(6);
/// For each bad receiver; and how many the good one gets in the meantime.
const TASKS: u64 = 12;
const GOOD: u64 = 1000;

#[tokio::test]
async fn bad_receivers_delay_no_good_one_and_get_all_once_they_are_good_on_embedded_defaults() {
    outlives_bad_receivers(Mode::Embedded).await;
}

#[tokio::test]
async fn bad_receivers_delay_no_good_one_and_get_all_once_they_are_good_on_postgres_and_redis() {
    outlives_bad_receivers(Mode::PostgresAndRedis).await;
}

async fn outlives_bad_receivers(mode: Mode) {
    let stack = Stack::start_with(mode, producing_with(&[("DELIVERY_TIMEOUT", TIMEOUT)])).await;
    let what = "Receivers answer 500, hang, reset, send headers for ever, send 10 GB, redirect in a circle";
    let mut trial = Trial::begin(what, mode, stack).await;
    for _ in 0..often(1, 10) {
        let bad = produce_to_bad_receivers(&mut trial).await;
        until("each bad receiver was met", async || bad.iter().all(|(receiver, _)| receiver.met() >= 3)).await;
        the_good_one_is_not_delayed(&mut trial).await;
        for (_, batch) in &bad {
            until("an attempt is recorded", async || attempts_of(&trial.stack, batch).await > 0).await;
        }
        for (receiver, batch) in &bad {
            let told = told(&trial.stack, batch).await;
            assert_eq!((told["pending"].as_u64(), receiver.accepted()), (Some(TASKS), (0, 0)), "{:?}", receiver.fault);
            reasons_are_clear(&trial.stack, receiver.fault, batch).await;
        }
        for (receiver, _) in &bad {
            receiver.become_good();
        }
        trial.heals().await;
        for (receiver, batch) in &bad {
            has_taken_each_once(&mut trial.stack, receiver, batch).await;
            assert_eq!(lines_about(&trial.stack, receiver), 1, "{:?} is told of in one line", receiver.fault);
        }
    }
    let expected = Expected { said: &[("producer", "the receiver takes deliveries again")], lines: 1, memory_mib: 200 };
    trial.ends(&expected).await;
}

#[tokio::test]
async fn what_a_bad_receiver_never_takes_is_a_dead_letter_until_it_is_retried_by_hand() {
    let settings = producing_with(&[("DELIVERY_TIMEOUT", TIMEOUT), ("RETRY_SCHEDULE", "0s,100ms,200ms")]);
    let stack = Stack::start_with(Mode::Embedded, settings).await;
    let what = "Receivers stay bad to the end of the schedule, and are retried by hand";
    let mut trial = Trial::begin(what, Mode::Embedded, stack).await;
    let bad = produce_to_bad_receivers(&mut trial).await;
    for (receiver, batch) in &bad {
        let ended = trial.stack.ended(batch, STAGE).await;
        assert_eq!((ended["failed"].as_u64(), receiver.accepted()), (Some(TASKS), (0, 0)), "{:?}", receiver.fault);
        assert_eq!(attempts_of(&trial.stack, batch).await, 3 * TASKS, "{:?}: all of the schedule", receiver.fault);
        reasons_are_clear(&trial.stack, receiver.fault, batch).await;
    }
    for (receiver, batch) in &bad {
        receiver.become_good();
        let url = format!("{}/batches/{batch}/retry", trial.stack.producer.url);
        assert_eq!(http::post_json(&trial.stack.client, &url, &json!({})).await.status(), 202);
        has_taken_each_once(&mut trial.stack, receiver, batch).await;
    }
    trial.heals().await;
    trial.ends(&Expected { lines: 1, memory_mib: 200, ..Expected::default() }).await;
}

fn producing_with(settings: &[(&'static str, &str)]) -> Settings {
    let producer = settings.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
    Settings { producer, ..Settings::default() }
}

/// Each with the batch that goes to it.
async fn produce_to_bad_receivers(trial: &mut Trial) -> Vec<(BadReceiver, String)> {
    let mut bad = Vec::new();
    for fault in FAULTS {
        trial.hurts();
        let receiver = BadReceiver::start(fault).await;
        let batch = trial.stack.produce(&json!({"count": TASKS, "wait": 0, "to": receiver.url()})).await;
        bad.push((receiver, batch));
    }
    bad
}

/// A whole batch is delivered to the good receiver, each task at its first attempt, while the bad ones have taken nothing yet.
async fn the_good_one_is_not_delayed(trial: &mut Trial) {
    let batch = trial.stack.produce(&json!({"count": GOOD, "wait": 0})).await;
    let ended = trial.stack.ended(&batch, STAGE).await;
    assert_eq!(ended["delivered"].as_u64(), Some(GOOD), "{ended}");
    assert_eq!(attempts_of(&trial.stack, &batch).await, GOOD, "each went at its first attempt");
}

async fn told(stack: &Stack, batch: &str) -> Value {
    http::json(&stack.client, &format!("{}/api/batches/{batch}", stack.producer.url)).await
}

async fn has_taken_each_once(stack: &mut Stack, receiver: &BadReceiver, batch: &str) {
    let ended = stack.ended(batch, STAGE).await;
    assert_eq!(ended["delivered"].as_u64(), Some(TASKS), "{:?} {ended}", receiver.fault);
    assert_eq!(receiver.accepted(), (TASKS, TASKS), "{:?} took each once", receiver.fault);
}

/// How many attempts there were of all deliveries of the batch.
async fn attempts_of(stack: &Stack, batch: &str) -> u64 {
    let deliveries = deliveries(stack, batch).await;
    deliveries.iter().map(|delivery| delivery["attempt"].as_u64().unwrap()).sum()
}

async fn deliveries(stack: &Stack, batch: &str) -> Vec<Value> {
    let (mut deliveries, mut cursor) = (Vec::new(), String::new());
    loop {
        let url = format!("{}/api/deliveries?batch={batch}&limit=500{cursor}", stack.producer.url);
        let mut page = http::json(&stack.client, &url).await;
        deliveries.append(page["deliveries"].as_array_mut().unwrap());
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return deliveries,
        }
    }
}

/// Every attempt that was recorded tells what the receiver did, and none took longer than it may.
async fn reasons_are_clear(stack: &Stack, fault: Fault, batch: &str) {
    let mut attempts: Vec<Value> = Vec::new();
    for delivery in deliveries(stack, batch).await {
        let url = format!("{}/api/deliveries/{}", stack.producer.url, delivery["id"].as_str().unwrap());
        attempts.append(http::json(&stack.client, &url).await["attempts"].as_array_mut().unwrap());
    }
    assert!(!attempts.is_empty(), "{fault:?}: attempts are recorded");
    let (reason, words) = fault.reason();
    for attempt in attempts {
        let text = attempt["text"].as_str().unwrap_or_default();
        assert!(attempt["reason"] == reason && text.contains(words), "{fault:?}: {attempt}");
        let took = Duration::from_millis(attempt["duration_ms"].as_u64().unwrap());
        assert!(took <= LONGEST_ATTEMPT, "{fault:?}: {attempt}");
    }
}

/// Warnings in the producer's log that name the receiver.
fn lines_about(stack: &Stack, receiver: &BadReceiver) -> usize {
    let said = stack.producer.process.said();
    said.lines().filter(|line| line.contains(" WARN ") && line.contains(&receiver.url())).count()
}
