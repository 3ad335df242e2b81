//! The clock of the machine is set an hour forward and back, while tasks, retries, leases and pauses wait for their time.

use serde_json::json;

use super::bad_receiver::{BadReceiver, Fault};
use super::fake_clock::FakeClock;
use super::{Expected, STAGE, Trial, often, restart};
use crate::support::eventually;
use crate::support::stack::{Mode, Settings, Stack};

const HOUR_S: i64 = 3600;
/// How far ahead the clock is, one after the other: an hour forward, two back, one forward, and an hour forward and back.
const STEPS: [i64; 5] = [HOUR_S, -HOUR_S, 0, HOUR_S, 0];
const TASKS: u64 = 12;

#[tokio::test]
async fn a_clock_that_is_set_an_hour_both_ways_holds_up_nothing_on_embedded_defaults() {
    survives_steps(Mode::Embedded).await;
}

#[tokio::test]
async fn a_clock_that_is_set_an_hour_both_ways_holds_up_nothing_on_postgres_and_redis() {
    survives_steps(Mode::PostgresAndRedis).await;
}

async fn survives_steps(mode: Mode) {
    let clock = FakeClock::start();
    let mut producer = clock.environment();
    producer.push(("DELIVERY_TIMEOUT", "1s".to_owned()));
    let settings = Settings { consumer: clock.environment(), producer, postgres: None };
    let stack = Stack::start_with(mode, settings).await;
    let mut trial = Trial::begin("The clock is set an hour forward, or back", mode, stack).await;
    for (round, ahead_s) in STEPS.into_iter().cycle().take(often(2, 20)).enumerate() {
        let waits = Waits::begin(&trial.stack).await;
        trial.hurts();
        clock.set(ahead_s);
        // Whoever had deliveries in hand may be gone when the clock is another.
        let is_restarted = round % 2 == 1;
        if is_restarted {
            restart(&mut trial.stack.producer);
        }
        waits.end(&mut trial.stack, is_restarted).await;
        trial.heals().await;
    }
    let said =
        [("consumer", "was set forward by"), ("consumer", "was set back by"), ("producer", "was set forward by")];
    trial.ends(&Expected { said: &said, lines: 8, ..Expected::default() }).await;
}

/// What waits for a time when the clock is set.
struct Waits {
    /// Tasks that are a third of a second apart, and the stream that tells of them.
    apart: String,
    stream: reqwest::Response,
    /// Receivers that have what is tried again, what is in hand, and what they asked a pause for; each with its batch.
    bad: Vec<(BadReceiver, String)>,
}

impl Waits {
    async fn begin(stack: &Stack) -> Self {
        let mut bad = Vec::new();
        for fault in [Fault::Answers500, Fault::Hangs, Fault::AsksForPatience] {
            let receiver = BadReceiver::start(fault).await;
            let batch = stack.produce(&json!({"count": TASKS, "wait": 0, "to": receiver.url()})).await;
            eventually("the receiver was met", STAGE, async || (receiver.met() > 0).then_some(())).await;
            bad.push((receiver, batch));
        }
        let apart = stack.produce(&json!({"count": TASKS, "wait": 0.3})).await;
        let url = format!("{}/batches/{apart}/events", stack.producer.url);
        let stream = stack.client.get(url).timeout(STAGE).send().await.unwrap();
        Self { apart, stream, bad }
    }

    /// Everything comes to its end although no hour passes.
    async fn end(mut self, stack: &mut Stack, is_restarted: bool) {
        for (receiver, batch) in &self.bad {
            receiver.become_good();
            let ended = stack.ended(batch, STAGE).await;
            assert_eq!(ended["delivered"].as_u64(), Some(TASKS), "{:?} {ended}", receiver.fault);
            assert_eq!(receiver.accepted().0, TASKS, "{:?}", receiver.fault);
        }
        let ended = stack.ended(&self.apart, STAGE).await;
        assert_eq!(ended["delivered"].as_u64(), Some(TASKS), "{ended}");
        let mut told = Vec::new();
        while let Ok(Some(chunk)) = self.stream.chunk().await {
            told.extend_from_slice(&chunk);
        }
        // Else it ended with the program.
        assert!(is_restarted || String::from_utf8(told).unwrap().contains("event: end"), "the stream goes on");
    }
}
