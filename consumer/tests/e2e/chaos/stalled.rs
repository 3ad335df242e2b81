//! Viewers that stop reading while the load goes on: they are cut off, hold up nobody, and catch up when they come back.

use std::time::{Duration, Instant};

use serde_json::json;

use super::stalled_viewer::{Namespace, StalledViewer};
use super::{Expected, Trial, often};
use crate::support::eventually;
use crate::support::stack::{Mode, Stack};

/// Who takes nothing is cut off within this time.
const CUT_OFF: Duration = Duration::from_mins(1);
/// Webhooks that are taken and seen while they are there, and after they are gone.
const MORE: usize = 50;
/// Tasks that are on the way to everybody meanwhile.
const TASKS: u64 = 2000;
/// Who else is there: the trial's follower and its tutorial's page, and its dashboards, one of which is a real one.
const OTHERS: [u64; 2] = [2, 2];

#[tokio::test]
async fn viewers_that_stop_reading_are_cut_off_and_catch_up_on_embedded_defaults() {
    survives_stalled_viewers(Mode::Embedded).await;
}

#[tokio::test]
async fn viewers_that_stop_reading_are_cut_off_and_catch_up_on_postgres_and_redis() {
    survives_stalled_viewers(Mode::PostgresAndRedis).await;
}

async fn survives_stalled_viewers(mode: Mode) {
    let what = "Viewers of /collectHooks and /live stop reading";
    let mut trial = Trial::begin(what, mode, Stack::start(mode).await).await;
    for _ in 0..often(1, 5) {
        let mut stalled = join(&mut trial).await;
        let since = Instant::now();
        nobody_else_is_held_up(&mut trial).await;
        let [hooks, frames] = OTHERS;
        assert_eq!(sockets(&trial.stack).await, [hooks + 1, frames + 1], "that was while the stalled ones were there");
        eventually("the stalled ones are cut off", CUT_OFF.saturating_sub(since.elapsed()), async || {
            (sockets(&trial.stack).await == OTHERS).then_some(())
        })
        .await;
        trial.goes_on(MORE).await;
        for viewer in &mut stalled {
            catches_up(viewer, &trial.stack).await;
        }
        drop(stalled);
        trial.heals().await;
    }
    assert_eq!(trial.load.refusals(), 0, "the intake is not held up");
    let said = &[("consumer", "a viewer took nothing, or said nothing, for too long and was cut off")];
    trial.ends(&Expected { said, lines: 1, memory_mib: 200 }).await;
}

async fn join(trial: &mut Trial) -> [StalledViewer; 2] {
    let url = &trial.stack.consumer.url;
    let mut stalled = [Namespace::Hooks, Namespace::Frames].map(|namespace| StalledViewer::new(url, namespace));
    for viewer in &mut stalled {
        viewer.join().await.unwrap();
        trial.hurts();
    }
    stalled
}

/// In the middle of a large batch webhooks are taken, and everybody who reads sees them.
async fn nobody_else_is_held_up(trial: &mut Trial) {
    trial.stack.produce(&json!({"count": TASKS, "wait": 0})).await;
    trial.goes_on(MORE).await;
    trial.has_been_seen().await;
}

/// What was on its way is read, until the connection breaks; the rest comes after it has come back.
async fn catches_up(viewer: &mut StalledViewer, stack: &Stack) {
    let total = stack.total().await.unwrap();
    assert!(viewer.read_to(total).await.is_err(), "{:?} was cut off before it had all", viewer.namespace);
    viewer.join().await.unwrap();
    viewer.read_to(total).await.unwrap();
    assert_eq!(viewer.disordered, 0, "{:?}: each once, in order, without a hole", viewer.namespace);
}

/// How many sockets are in `/collectHooks` and in `/live`.
async fn sockets(stack: &Stack) -> [u64; 2] {
    let url = format!("{}/metrics", stack.consumer.url);
    let metrics = stack.client.get(url).send().await.unwrap().text().await.unwrap();
    [Namespace::Hooks, Namespace::Frames].map(|namespace| {
        let name = format!("hookcast_consumer_sockets{{namespace=\"{}\"}} ", namespace.name());
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        line.map_or(0, |number| number.parse().unwrap())
    })
}
