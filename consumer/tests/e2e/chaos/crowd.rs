//! A thousand viewers that are all cut off by a restart of the consumer and all come back at once.

use super::audience::{Kind, Watcher};
use super::load::Pace;
use super::{Expected, STAGE, Trial, often, restart};
use crate::support::stack::{Mode, Stack};

const VIEWERS: usize = 1000;
/// Every so many is one of our pages.
const PAGES: usize = 10;

#[tokio::test]
async fn a_thousand_viewers_come_back_at_once_on_embedded_defaults() {
    survives_restarts(Mode::Embedded).await;
}

#[tokio::test]
async fn a_thousand_viewers_come_back_at_once_on_postgres_and_redis() {
    survives_restarts(Mode::PostgresAndRedis).await;
}

async fn survives_restarts(mode: Mode) {
    let what = "1000 viewers reconnect at once, as their consumer restarts";
    let mut trial = Trial::begin_at(Pace::GENTLE, what, mode, Stack::start(mode).await).await;
    let url = trial.stack.consumer.url.clone();
    let kinds = (0..VIEWERS).map(|number| if number % PAGES == 0 { Kind::Dashboard } else { Kind::Follower });
    let crowd: Vec<Watcher> = kinds.map(|kind| Watcher::join(kind, &url)).collect();
    have_seen_what_there_is(&trial, &crowd).await;
    for _ in 0..often(1, 10) {
        trial.goes_on(50).await;
        trial.hurts();
        restart(&mut trial.stack.consumer);
        trial.heals().await;
        have_seen_what_there_is(&trial, &crowd).await;
    }
    for watcher in &crowd {
        let (twice, disordered) = watcher.seen(|seen| (seen.twice, seen.disordered.clone()));
        assert_eq!((twice, disordered.as_slice()), (0, &[][..]), "{:?}", watcher.kind);
    }
    trial.ends(&Expected { memory_mib: 400, ..Expected::default() }).await;
}

async fn have_seen_what_there_is(trial: &Trial, crowd: &[Watcher]) {
    let head = trial.stack.total().await.unwrap();
    for watcher in crowd {
        watcher.has_reached(head, STAGE).await;
    }
}
