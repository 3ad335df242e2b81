//! A consumer that is cut off from Redis only: whoever watches it still sees everything, once.

use super::proxy::{Proxy, Way};
use super::{Expected, Trial, often, ready};
use crate::support::stack::{Mode, Stack};

const MODE: Mode = Mode::PostgresAndRedis;

#[tokio::test]
async fn a_consumer_cut_off_from_redis_shows_everything_once() {
    let mut stack = Stack::start(MODE).await;
    let redis = stack.shared.as_ref().expect("the mode has a Redis").redis.address();
    let proxy = Proxy::before(&redis).await;
    let cut_off = stack.another_consumer_with(&[("BROKER_URL", format!("redis://{}", proxy.address))]).await;
    stack.more_consumers.push(cut_off);
    let mut trial =
        Trial::begin("One of two consumers is cut off from Redis only: dropped, stalled", MODE, stack).await;
    for round in 0..often(2, 20) {
        trial.goes_on(50).await;
        trial.hurts();
        proxy.becomes([Way::Cut, Way::Stalled][round % 2]);
        broker_of_the_second_is(&trial, "down").await;
        ready::says(&trial.stack.client, &trial.stack.consumer, 200, &[("broker", "up")]).await;
        trial.goes_on(100).await;
        proxy.becomes(Way::Open);
        trial.heals().await;
        broker_of_the_second_is(&trial, "up").await;
    }
    trial.ends(&Expected::default()).await;
}

async fn broker_of_the_second_is(trial: &Trial, word: &str) {
    let second = &trial.stack.more_consumers[0];
    ready::says(&trial.stack.client, second, 200, &[("broker", word), ("database", "up")]).await;
}
