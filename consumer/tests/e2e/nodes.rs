//! Two consumers on one PostgreSQL and one Redis are one consumer to whoever watches.

use futures_util::future::join_all;

use crate::support::stack::{Mode, Service, Stack, task};
use crate::support::viewer::Viewer;
use crate::support::{PATIENCE, http};

const EACH: u64 = 300;

#[tokio::test]
async fn what_is_posted_to_one_node_is_seen_on_every_node() {
    let stack = Stack::start(Mode::PostgresAndRedis).await;
    let mut audience = Audience::join(&stack).await;
    audience.post_to_both(&stack).await;
    audience.has_seen_exactly(&stack, 2 * EACH).await;
}

#[tokio::test]
async fn a_redis_that_is_away_delays_the_news_and_loses_none() {
    let mut stack = Stack::start(Mode::PostgresAndRedis).await;
    let mut audience = Audience::join(&stack).await;
    audience.post_to_both(&stack).await;
    stack.shared.as_mut().expect("it has a Redis").redis.kill();
    audience.post_to_both(&stack).await;
    audience.has_seen_exactly(&stack, 4 * EACH).await;
    stack.shared.as_mut().expect("it has a Redis").redis.start_again().await;
    audience.post_to_both(&stack).await;
    audience.has_seen_exactly(&stack, 6 * EACH).await;
}

/// Two nodes, and on each of them a viewer of every kind.
struct Audience {
    _other: Service,
    nodes: [String; 2],
    hooks: [Viewer; 2],
    frames: [Viewer; 2],
}

impl Audience {
    async fn join(stack: &Stack) -> Self {
        let other = stack.another_consumer().await;
        let nodes = [stack.consumer.url.clone(), other.url.clone()];
        let hooks = [Viewer::of_hooks(&nodes[0]).await, Viewer::of_hooks(&nodes[1]).await];
        let frames = [Viewer::of_frames(&nodes[0]).await, Viewer::of_frames(&nodes[1]).await];
        Self { _other: other, nodes, hooks, frames }
    }

    async fn post_to_both(&self, stack: &Stack) {
        join_all(self.nodes.iter().map(|node| post_many(stack, node))).await;
    }

    async fn has_seen_exactly(&mut self, stack: &Stack, total: u64) {
        for viewer in &mut self.hooks {
            viewer.has_seen_exactly(total, PATIENCE).await;
        }
        for viewer in &mut self.frames {
            viewer.is_told_exactly(total, PATIENCE).await;
        }
        for node in &self.nodes {
            let counts = http::json(&stack.client, &format!("{node}/api/counts")).await;
            assert_eq!((counts["total"].as_u64(), counts["head"].as_u64()), (Some(total), Some(total)), "{node}");
        }
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
