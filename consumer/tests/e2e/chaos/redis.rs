//! Redis is killed, hangs, or is full: news are late, and none is lost.

use super::{Expected, Trial, often, ready};
use crate::support::databases::Redis;
use crate::support::stack::{Mode, Stack};

const MODE: Mode = Mode::PostgresAndRedis;
const AWAY: &[(&str, &str)] = &[("consumer", "Redis is away"), ("producer", "Redis is away")];

/// Two consumers, so that there is somebody to tell the news to.
async fn begin(fault: &str) -> Trial {
    let mut stack = Stack::start(MODE).await;
    let other = stack.another_consumer().await;
    stack.more_consumers.push(other);
    let trial = Trial::begin(fault, MODE, stack).await;
    broker_is(&trial, "up").await;
    trial
}

fn redis(trial: &mut Trial) -> &mut Redis {
    &mut trial.stack.shared.as_mut().expect("the mode has a Redis").redis
}

/// Every program is ready meanwhile, and names the broker.
async fn broker_is(trial: &Trial, word: &str) {
    for service in trial.services() {
        ready::says(&trial.stack.client, service, 200, &[("broker", word), ("database", "up")]).await;
    }
}

#[tokio::test]
async fn a_redis_that_is_killed_delays_the_news_and_loses_none() {
    let mut trial = begin("Redis is killed, and started again").await;
    for _ in 0..often(2, 20) {
        trial.goes_on_to_a_moment(100).await;
        trial.hurts();
        redis(&mut trial).kill();
        broker_is(&trial, "down").await;
        trial.goes_on(50).await;
        redis(&mut trial).start_again().await;
        trial.heals().await;
        broker_is(&trial, "up").await;
    }
    trial.ends(&Expected { said: AWAY, ..Expected::default() }).await;
}

#[tokio::test]
async fn a_redis_that_hangs_delays_the_news_and_loses_none() {
    let mut trial = begin("Redis hangs (SIGSTOP), and goes on").await;
    for _ in 0..often(1, 5) {
        trial.goes_on(50).await;
        trial.hurts();
        redis(&mut trial).signal("STOP");
        broker_is(&trial, "down").await;
        trial.goes_on(50).await;
        redis(&mut trial).signal("CONT");
        trial.heals().await;
        broker_is(&trial, "up").await;
    }
    trial.ends(&Expected { said: AWAY, ..Expected::default() }).await;
}

#[tokio::test]
async fn a_redis_that_is_full_loses_no_news() {
    let mut trial = begin("Redis is full: no memory, and subscribers cut off at 1 KiB").await;
    for _ in 0..often(1, 5) {
        trial.goes_on(50).await;
        trial.hurts();
        redis(&mut trial).configure("maxmemory-policy", "noeviction");
        redis(&mut trial).configure("maxmemory", "1");
        redis(&mut trial).configure("client-output-buffer-limit", "pubsub 1024 0 0");
        trial.goes_on(300).await;
        redis(&mut trial).configure("maxmemory", "0");
        redis(&mut trial).configure("client-output-buffer-limit", "pubsub 33554432 8388608 60");
        trial.heals().await;
        broker_is(&trial, "up").await;
    }
    trial.ends(&Expected { lines: 12, ..Expected::default() }).await;
}
