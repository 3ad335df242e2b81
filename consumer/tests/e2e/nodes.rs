//! Two consumers on one PostgreSQL and one Redis are one consumer to whoever watches.

use futures_util::future::join_all;

use crate::support::stack::{Mode, Stack, task};
use crate::support::viewer::Viewer;
use crate::support::{PATIENCE, http};

const EACH: u64 = 300;

#[tokio::test]
async fn what_is_posted_to_one_node_is_seen_on_every_node() {
    let stack = Stack::start(Mode::PostgresAndRedis).await;
    let other = stack.another_consumer().await;
    let nodes = [stack.consumer.url.as_str(), other.url.as_str()];
    let mut hooks = [Viewer::of_hooks(nodes[0]).await, Viewer::of_hooks(nodes[1]).await];
    let mut frames = [Viewer::of_frames(nodes[0]).await, Viewer::of_frames(nodes[1]).await];

    join_all(nodes.iter().map(|node| post_many(&stack, node))).await;

    for viewer in &mut hooks {
        viewer.has_seen_exactly(2 * EACH, PATIENCE).await;
    }
    for viewer in &mut frames {
        viewer.is_told_exactly(2 * EACH, PATIENCE).await;
    }
    for node in nodes {
        let counts = http::json(&stack.client, &format!("{node}/api/counts")).await;
        assert_eq!((counts["total"].as_u64(), counts["head"].as_u64()), (Some(2 * EACH), Some(2 * EACH)), "{node}");
    }
}

/// Posts `EACH` tasks, thirty at a time, so that both nodes give offsets at the same moments.
async fn post_many(stack: &Stack, node: &str) {
    let url = format!("{node}/consumetasks");
    let ids: Vec<u64> = (0..EACH).collect();
    for some in ids.chunks(30) {
        let posts = some.iter().map(|id| async {
            let answer = http::post_json(&stack.client, &url, &task(node, *id)).await;
            assert_eq!(answer.status(), 200);
            assert_eq!(answer.text().await.unwrap(), "OK");
        });
        join_all(posts).await;
    }
}
