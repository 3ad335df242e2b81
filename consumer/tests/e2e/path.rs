//! The path of a task on embedded defaults: from a press of the button to the counts.

use serde_json::json;

use crate::support::stack::{Mode, Stack};
use crate::support::viewer::Viewer;
use crate::support::{PATIENCE, http};

#[tokio::test]
async fn every_task_of_a_batch_is_counted_and_shown() {
    let mut stack = Stack::start(Mode::Embedded).await;
    let mut frames = Viewer::of_frames(&stack.consumer.url).await;

    let batch = stack.produce(&json!({"count": 200, "wait": 0})).await;
    let ended = stack.ended(&batch, PATIENCE).await;
    assert_eq!((ended["total"].as_u64(), ended["delivered"].as_u64()), (Some(200), Some(200)), "{ended}");

    let counts = http::json(&stack.client, &format!("{}/api/counts", stack.consumer.url)).await;
    let of_priority = ["Low", "Moderate", "Major", "Critical", "other"].map(|name| counts[name].as_u64().unwrap());
    assert_eq!(of_priority.iter().sum::<u64>(), 200, "{counts}");
    assert_eq!((counts["total"].as_u64(), counts["head"].as_u64()), (Some(200), Some(200)), "{counts}");
    frames.is_told_exactly(200, PATIENCE).await;
}

#[tokio::test]
async fn what_viewers_get_is_written_by_threads_that_give_way() {
    let stack = Stack::start(Mode::Embedded).await;
    let mut frames = Viewer::of_frames(&stack.consumer.url).await;
    let threads = |name| stack.consumer.process.threads(name);
    let turns = || threads("viewers").iter().map(|(_, turns)| turns).sum::<u64>();
    let before = turns();
    stack.produce(&json!({"count": 20, "wait": 0})).await;
    frames.is_told_exactly(20, PATIENCE).await;
    assert!(turns() > before, "they have written the frames");
    let (viewers, others) = (threads("viewers"), threads("tokio-rt-worker"));
    assert!(!viewers.is_empty() && !others.is_empty());
    let least = viewers.iter().map(|(nice, _)| nice).min();
    let most = others.iter().map(|(nice, _)| nice).max();
    assert!(least > most, "{viewers:?} {others:?}");
}
