//! Several consumers on one PostgreSQL: one log, whoever commits.

use serde_json::json;

use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually,
    socket::Socket,
    tasks,
};

async fn post_to_both_and_hear_at_both(settings: &[&str]) {
    let database = Database::create(Mode::Machines).await;
    let nodes = [TestApp::start(&database, settings).await, TestApp::start(&database, settings).await];
    let mut sockets = Vec::new();
    for node in &nodes {
        let mut socket = Socket::connect(node.address, "/collectHooks").await;
        socket.join_room(json!({"since": 0})).await;
        sockets.push(socket);
    }
    let sending = (0..40).map(|at| {
        let node = &nodes[at % 2];
        async move { node.take(tasks(&format!("{at}"), 5)).await }
    });
    futures_util::future::join_all(sending).await;
    for socket in &mut sockets {
        for expected in 1..=200 {
            assert_eq!(socket.event("msg").await[1], expected);
        }
    }
    for node in nodes {
        assert_eq!(node.total().await, 200);
        eventually("the page of each node tells all", async || {
            let mut page = Socket::connect(node.address, "/live").await;
            let joined = page.ask(json!(["join", {}])).await;
            (joined["frame"]["counts"]["total"] == 200).then_some(())
        })
        .await;
        node.end().await;
    }
}

#[tokio::test]
async fn what_one_node_takes_is_heard_at_both_in_one_order() {
    post_to_both_and_hear_at_both(&[]).await;
}

#[tokio::test]
async fn nodes_follow_each_other_through_the_database_when_redis_is_away() {
    // Port 1 refuses; the news never come, and the log is the truth.
    post_to_both_and_hear_at_both(&["--broker-url", "redis://127.0.0.1:1"]).await;
}

#[tokio::test]
async fn a_redis_that_is_away_is_named_and_does_not_make_the_node_unready() {
    let database = Database::create(Mode::Machines).await;
    let app = TestApp::start(&database, &["--broker-url", "redis://127.0.0.1:1"]).await;
    assert_eq!(app.json("/readyz").await, json!({"ready": true, "checks": {"database": "up", "broker": "down"}}));
    app.end().await;
}
