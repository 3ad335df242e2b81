//! Several consumers on one PostgreSQL: one log, whoever commits.

use serde_json::json;
use sqlx::Executor;

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

#[tokio::test]
async fn a_node_that_missed_what_was_forgotten_goes_on_with_what_is_there() {
    let database = Database::create(Mode::Machines).await;
    let deaf = ["--broker-url", "redis://127.0.0.1:1"];
    let behind = TestApp::start(&database, &deaf).await;
    behind.take(tasks("before", 3)).await;
    // As if another node had taken forty and forgotten all but five, before this one looked.
    let mut other = database.connection().await;
    let statements = [
        "begin",
        "update log set head = 43 where name = 'events'",
        "update counts set low = low + 40",
        "delete from events",
        "insert into events (log_offset, id, source, priority, received_ms, request, body) \
         select n, 'id' || n, 'default', 0, 0, '{}', '{}' from generate_series(39, 43) n",
        "commit",
    ];
    for statement in statements {
        other.execute(statement).await.unwrap();
    }
    let mut socket = Socket::connect(behind.address, "/collectHooks").await;
    eventually("it knows the new head", async || {
        let joined = socket.join_room(json!(null)).await;
        (joined["head"] == 43).then_some(())
    })
    .await;
    behind.take(tasks("after", 1)).await;
    let mut page = Socket::connect(behind.address, "/live").await;
    let joined = page.ask(json!(["join", {}])).await;
    assert_eq!((&joined["frame"]["head"], &joined["frame"]["counts"]["total"]), (&json!(44), &json!(44)));
    behind.end().await;
}
