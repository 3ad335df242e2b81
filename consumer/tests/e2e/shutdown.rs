//! SIGTERM while streams and sockets are open: both programs finish and exit 0 in time.

use std::time::Duration;

use serde_json::json;

use crate::support::stack::{Mode, Stack};
use crate::support::viewer::Viewer;
use crate::support::{PATIENCE, eventually};

const IN_TIME: Duration = Duration::from_secs(10);

#[tokio::test]
async fn both_programs_exit_0_within_ten_seconds_with_streams_and_sockets_open() {
    let mut stack = Stack::start(Mode::Embedded).await;
    let _hooks = Viewer::of_hooks(&stack.consumer.url).await;
    let _frames = Viewer::of_frames(&stack.consumer.url).await;
    let batch = stack.produce(&json!({"count": 100, "wait": 1})).await;
    let url = format!("{}/batches/{batch}/events", stack.producer.url);
    let mut stream = stack.client.get(url).send().await.unwrap();
    assert!(stream.chunk().await.unwrap().is_some(), "the stream is open");
    eventually("the batch is under way", PATIENCE, async || stack.total().await.filter(|total| *total > 0)).await;

    for (name, service) in [("producer", &mut stack.producer), ("consumer", &mut stack.consumer)] {
        let ended = service.process.terminate(IN_TIME);
        let (status, after) = ended.unwrap_or_else(|| panic!("the {name} still runs after {IN_TIME:?}"));
        assert!(status.success(), "the {name} ended with {status} after {after:?}");
    }
    while let Ok(Some(_)) = stream.chunk().await {}
}
