//! SIGKILL of each program at random moments.

use super::{Expected, Trial, often};
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
    let mut trial = Trial::begin("SIGKILL of the consumer, the producer or both", mode, Stack::start(mode).await).await;
    for round in 0..often(3, 50) {
        let moment = usize::try_from(trial.dice.between(1, 150)).unwrap();
        trial.goes_on(moment).await;
        trial.hurts();
        kill(&mut trial, round % 3).await;
        trial.heals().await;
    }
    trial.ends(&Expected::default()).await;
}

async fn kill(trial: &mut Trial, which: usize) {
    let gap = std::time::Duration::from_millis(trial.dice.between(0, 30));
    let swapped = [(); 2].map(|()| trial.dice.between(0, 1) == 1);
    let (consumer, producer) = (&mut trial.stack.consumer.process, &mut trial.stack.producer.process);
    match which {
        0 => [consumer].into_iter().for_each(|only| {
            only.kill();
            only.start_again();
        }),
        1 => [producer].into_iter().for_each(|only| {
            only.kill();
            only.start_again();
        }),
        _ => {
            let (first, second) = if swapped[0] { (consumer, producer) } else { (producer, consumer) };
            first.kill();
            tokio::time::sleep(gap).await;
            second.kill();
            let (first, second) = if swapped[1] { (first, second) } else { (second, first) };
            first.start_again();
            second.start_again();
        }
    }
}
