//! Both programs are killed again and again in the middle of a batch, and nothing is lost or shown twice.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::stack::{Mode, Stack};
use crate::support::viewer::Viewer;
use crate::support::{Dice, eventually, http};

const TASKS: u64 = 10_000;
const KILLS: usize = 5;
/// Which of the moments is Redis's: in the middle of the others.
const REDIS_ROUND: usize = 2;
/// For one stage of the test: the programs are not optimised here, and two tests share two cores.
const STAGE: Duration = Duration::from_mins(3);

#[tokio::test]
async fn ten_thousand_tasks_survive_five_kills_on_embedded_defaults() {
    survives_kills(Mode::Embedded).await;
}

#[tokio::test]
async fn ten_thousand_tasks_survive_five_kills_on_postgres_and_redis() {
    survives_kills(Mode::PostgresAndRedis).await;
}

async fn survives_kills(mode: Mode) {
    let mut dice = Dice::from_environment();
    let mut stack = Stack::start(mode).await;
    let mut hooks = Viewer::of_hooks(&stack.consumer.url).await;
    let mut frames = Viewer::of_frames(&stack.consumer.url).await;

    let batch = stack.produce(&json!({"count": TASKS, "wait": 0})).await;
    for (round, moment) in moments(&mut dice).into_iter().enumerate() {
        eventually("the batch goes on", STAGE, async || stack.total().await.filter(|total| *total >= moment)).await;
        if round == REDIS_ROUND {
            kill_redis(&mut stack).await;
        } else {
            kill_both(&mut stack, &mut dice).await;
        }
    }

    let ended = stack.ended(&batch, STAGE).await;
    assert_eq!((ended["total"].as_u64(), ended["delivered"].as_u64()), (Some(TASKS), Some(TASKS)), "{ended}");
    assert_the_log_is_exact(&stack, &batch).await;
    hooks.has_seen_exactly(TASKS, STAGE).await;
    frames.is_told_exactly(TASKS, STAGE).await;
}

/// How far the log has come when something is killed: random places, in order, all before the end.
fn moments(dice: &mut Dice) -> Vec<u64> {
    let mut moments: Vec<u64> = (0..=KILLS).map(|_| dice.between(1, TASKS * 9 / 10)).collect();
    moments.sort_unstable();
    eprintln!("killed at {moments:?}");
    moments
}

/// SIGKILL to Redis while both programs run on; on embedded defaults there is none.
async fn kill_redis(stack: &mut Stack) {
    if let Some(shared) = &mut stack.shared {
        shared.redis.kill();
        shared.redis.start_again().await;
    }
}

/// SIGKILL to both, in either order, a few milliseconds apart; then both again, in either order.
async fn kill_both(stack: &mut Stack, dice: &mut Dice) {
    let gap = Duration::from_millis(dice.between(0, 30));
    let (consumer, producer) = (&mut stack.consumer.process, &mut stack.producer.process);
    let (first, second) = if dice.between(0, 1) == 0 { (consumer, producer) } else { (producer, consumer) };
    first.kill();
    tokio::time::sleep(gap).await;
    second.kill();
    let (first, second) = if dice.between(0, 1) == 0 { (first, second) } else { (second, first) };
    first.start_again();
    second.start_again();
    stack.consumer.ready(&stack.client).await;
    stack.producer.ready(&stack.client).await;
}

/// Offsets 1 to N without a hole, and each task of the batch exactly once.
async fn assert_the_log_is_exact(stack: &Stack, batch: &str) {
    let events = whole_log(stack).await;
    let offsets: Vec<u64> = events.iter().map(|event| event["offset"].as_u64().unwrap()).collect();
    assert_eq!(offsets, (1..=TASKS).collect::<Vec<_>>());
    let tasks: HashSet<u64> = events
        .iter()
        .filter(|event| event["task"]["batchid"] == batch)
        .map(|event| event["task"]["id"].as_u64().unwrap())
        .collect();
    assert_eq!(tasks, (0..TASKS).collect::<HashSet<_>>());
    assert_eq!(stack.total().await, Some(TASKS));
}

async fn whole_log(stack: &Stack) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let since = events.last().map_or(0, |event: &Value| event["offset"].as_u64().unwrap());
        let url = format!("{}/api/events?since={since}&limit=1000", stack.consumer.url);
        let page = http::json(&stack.client, &url).await["events"].take();
        let page = page.as_array().expect("a list of events");
        if page.is_empty() {
            return events;
        }
        events.extend_from_slice(page);
    }
}
