//! SIGKILL of each program at random moments.

use std::time::Duration;

use super::{Expected, Trial, often, restart};
use crate::support::stack::{Mode, Stack};

#[tokio::test]
async fn both_programs_survive_kills_on_embedded_defaults() {
    survives_kills(Mode::Embedded).await;
}

#[tokio::test]
async fn both_programs_survive_kills_on_postgres_and_redis() {
    survives_kills(Mode::PostgresAndRedis).await;
}

/// One of the two, or both a few milliseconds apart in either order; started again in either order.
async fn survives_kills(mode: Mode) {
    let mut trial =
        Trial::begin("SIGKILL of the consumer, the producer, or both", mode, Stack::start(mode).await).await;
    for round in 0..often(3, 50) {
        trial.goes_on_to_a_moment(150).await;
        trial.hurts();
        match round % 3 {
            0 => restart(&mut trial.stack.consumer),
            1 => restart(&mut trial.stack.producer),
            _ => kill_both(&mut trial).await,
        }
        trial.heals().await;
    }
    trial.ends(&Expected::default()).await;
}

async fn kill_both(trial: &mut Trial) {
    let gap = Duration::from_millis(trial.dice.between(0, 30));
    let [swap_kills, swap_starts] = [(); 2].map(|()| trial.dice.between(0, 1) == 1);
    let both = (&mut trial.stack.consumer.process, &mut trial.stack.producer.process);
    let (first, second) = if swap_kills { (both.1, both.0) } else { both };
    first.kill();
    tokio::time::sleep(gap).await;
    second.kill();
    let (first, second) = if swap_starts { (second, first) } else { (first, second) };
    first.start_again();
    second.start_again();
}
