//! Two producers on one PostgreSQL claim from one queue, and are killed in turn: each delivery has its effect once.

use super::{Expected, Trial, often, restart};
use crate::support::stack::{Mode, Stack};

const MODE: Mode = Mode::PostgresAndRedis;

#[tokio::test]
async fn two_producers_of_one_queue_that_are_killed_in_turn_deliver_everything_once() {
    let mut stack = Stack::start(MODE).await;
    let other = stack.another_producer().await;
    stack.more_producers.push(other);
    let mut trial = Trial::begin("Two producers of one queue, killed in turn", MODE, stack).await;
    for round in 0..often(3, 30) {
        trial.goes_on_to_a_moment(100).await;
        trial.hurts();
        match round % 2 {
            0 => restart(&mut trial.stack.producer),
            _ => restart(&mut trial.stack.more_producers[0]),
        }
        trial.heals().await;
    }
    trial.ends(&Expected::default()).await;
}
