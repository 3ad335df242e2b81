//! A command from queued to its end, and that nothing is done twice.

use serde_json::json;
use sqlx::Executor;
use tokio::task::JoinSet;

use super::{Device, action, all_are, device, key, outcome, run};
use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually, on_both,
    socket::Socket,
};

#[tokio::test]
async fn a_command_is_queued_sent_acknowledged_and_done_or_failed() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let screen = device(&app, "lobby", &[]).await;
        action(&app, "toast", json!({})).await;
        let execution = run(&app, &key, "toast").await;
        assert_eq!(outcome(&app, &key, &execution).await[0]["state"], "queued", "nobody is there");
        let mut screen = Device::connect(&app, &screen, json!(null)).await;
        let command = screen.command().await;
        assert_eq!((&command["function"], &command["execution"]), (&json!("show_toast"), &json!(execution)));
        all_are(&app, &key, &execution, "sent").await;
        assert_eq!(screen.says("ack", &command).await, json!({"execute": true, "state": "acknowledged"}));
        assert_eq!(outcome(&app, &key, &execution).await[0]["state"], "acknowledged");
        assert_eq!(screen.says("ack", &command).await, json!({"execute": false, "state": "acknowledged"}), "only once");
        assert_eq!(screen.says("done", &command).await["state"], "done");
        assert_eq!(screen.says("failed", &command).await["state"], "done", "the end is the end");
        let told = outcome(&app, &key, &execution).await[0].clone();
        assert_eq!((&told["device"], &told["text"]), (&json!("lobby"), &json!("done it")));
        assert!(
            ["queued_at", "sent_at", "acknowledged_at", "ended_at"].iter().all(|at| told[at].is_string()),
            "{told}"
        );

        let execution = run(&app, &key, "toast").await;
        let command = screen.command().await;
        screen.says("ack", &command).await;
        assert_eq!(screen.says("failed", &command).await["state"], "failed");
        let listed = app.json(&format!("/api/executions/{execution}")).await;
        assert_eq!((&listed["states"], &listed["commands"][0]["text"]), (&json!({"failed": 1}), &json!("failed it")));
        let strange = json!({"id": 999});
        assert_eq!(screen.says("ack", &strange).await, json!({"execute": false}), "there is no such command");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_not_taken_in_its_time_expires_and_is_not_done_any_more() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let screen = device(&app, "lobby", &[]).await;
        action(&app, "short", json!({"ttl_ms": 1})).await;
        action(&app, "slow", json!({"ttl_ms": 1500})).await;
        action(&app, "long", json!({})).await;
        let away = run(&app, &key, "short").await;
        let told = all_are(&app, &key, &away, "expired").await;
        assert_eq!(told[0]["text"], "not acknowledged in its time");
        let mut screen = Device::connect(&app, &screen, json!(null)).await;
        let long = run(&app, &key, "long").await;
        assert_eq!(screen.does().await["execution"], long.as_str(), "the expired one does not come");
        let slow = run(&app, &key, "slow").await;
        let command = screen.command().await;
        all_are(&app, &key, &slow, "expired").await;
        assert_eq!(screen.says("ack", &command).await, json!({"execute": false, "state": "expired"}));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_comes_back_does_what_it_did_not_do_and_nothing_twice() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let screen = device(&app, "lobby", &[]).await;
        action(&app, "toast", json!({})).await;

        // It was cut off before it acknowledged: it comes again.
        let first = run(&app, &key, "toast").await;
        let mut socket = Device::connect(&app, &screen, json!(null)).await;
        let command = socket.command().await;
        drop(socket);
        // It was cut off before it heard that it should: it says that it did not, and gets it again.
        let mut socket = Device::connect(&app, &screen, json!(0)).await;
        assert_eq!(socket.command().await, command);
        assert_eq!(socket.says("ack", &command).await["execute"], true);
        drop(socket);
        let mut socket = Device::connect(&app, &screen, json!(0)).await;
        assert_eq!(socket.command().await, command);
        assert_eq!(socket.says("ack", &command).await["execute"], true);
        drop(socket);
        // It was cut off after it did it: it says so, and that is that.
        let mut socket = Device::connect(&app, &screen, command["id"].clone()).await;
        let told = all_are(&app, &key, &first, "done").await;
        assert_eq!(told[0]["text"], "said when it came back");
        let second = run(&app, &key, "toast").await;
        let command = socket.command().await;
        assert_eq!(command["execution"], second.as_str(), "the first does not come again");
        // Who does not know what it did does not do again what it acknowledged.
        socket.says("ack", &command).await;
        drop(socket);
        let third = run(&app, &key, "toast").await;
        let mut socket = Device::connect(&app, &screen, json!(null)).await;
        assert_eq!(socket.does().await["execution"], third.as_str());
        // Nor is it believed a number that was never given.
        drop(socket);
        let fourth = run(&app, &key, "toast").await;
        let mut socket = Device::connect(&app, &screen, json!(1_000_000)).await;
        assert_eq!(socket.does().await["execution"], fourth.as_str());
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn only_the_newest_connection_of_a_device_is_told_to_do_anything() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let screen = device(&app, "lobby", &[]).await;
        action(&app, "toast", json!({})).await;
        let older = Device::connect(&app, &screen, json!(null)).await;
        let mut newer = Device::connect(&app, &screen, json!(null)).await;
        older.socket.ended().await;
        run(&app, &key, "toast").await;
        newer.does().await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn commands_survive_a_restart_of_the_consumer() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let screen = device(&app, "lobby", &[]).await;
        action(&app, "toast", json!({})).await;
        let execution = run(&app, &key, "toast").await;
        app.end().await;
        let app = TestApp::start(&database, &[]).await;
        let mut screen = Device::connect(&app, &screen, json!(null)).await;
        assert_eq!(screen.does().await["execution"], execution.as_str());
        all_are(&app, &key, &execution, "done").await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_without_its_key_is_not_let_in_and_a_deleted_one_is_shown_out() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for auth in [json!({}), json!({"key": "guess"}), json!("guess")] {
            let refused = Socket::connect_as(app.address, "/devices", &auth).await;
            assert!(refused.err().unwrap().contains("the key that was shown"), "{auth}");
        }
        let screen = Device::connect(&app, &device(&app, "lobby", &["south"]).await, json!(null)).await;
        assert_eq!((&screen.state["device"], &screen.state["groups"]), (&json!("lobby"), &json!(["south"])));
        let listed = app.json("/api/action-devices").await["devices"][0].clone();
        assert_eq!(listed["online"], true);
        let path = format!("/api/action-devices/{}", listed["id"].as_str().unwrap());
        assert_eq!(app.client.delete(app.url(&path)).send().await.unwrap().status(), 204);
        screen.socket.ended().await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_leaves_is_no_longer_counted_as_reached() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let screen = Device::connect(&app, &device(&app, "lobby", &[]).await, json!(null)).await;
        drop(screen);
        eventually("it is seen leaving", async || {
            (app.json("/api/action-devices").await["devices"][0]["online"] == false).then_some(())
        })
        .await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_still_waits_is_not_forgotten_with_the_old_executions() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let screen = device(&app, "lobby", &[]).await;
        action(&app, "hello", json!({"target": {"device": "lobby"}})).await;
        action(&app, "others", json!({"target": {"device": "another"}})).await;
        device(&app, "another", &[]).await;
        let first = run(&app, &key, "hello").await;
        let of_first = format!("/api/executions/{first}");
        eventually("the log has it", async || (app.total().await == 1).then_some(())).await;
        let mut beside = database.connection().await;
        let many = "with recursive n(i) as (select 100 union all select i + 1 from n where i < 2200) \
                    insert into executions (id, number, event_id, key_id, key_name, called_from, called_ms, body, emergency, logged) \
                    select 'old-' || i, i, 'e', '', '', '', 0, '{}', 0, 1 from n";
        beside.execute(many).await.unwrap();
        beside.execute("update versions set version = 2200 where name = 'commands'").await.unwrap();
        run(&app, &key, "others").await;
        assert_eq!(app.get("/api/executions/old-100").await.status(), 404, "it is old, and nobody waits for it");
        assert_eq!(app.json(&of_first).await["states"]["queued"], 1);
        let mut screen = Device::connect(&app, &screen, json!(0)).await;
        assert_eq!(screen.does().await["execution"], first.as_str());
        drop(screen);
        eventually("it is done", async || {
            (app.json(&of_first).await["states"] == json!({"done": 1})).then_some(())
        })
        .await;
        run(&app, &key, "others").await;
        assert_eq!(app.get(&of_first).await.status(), 404, "now it goes, too");
        app.end().await;
    })
    .await;
}

/// The connect handler of a namespace runs some time after a device was told that it is connected.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_a_device_says_the_moment_it_is_connected_is_heard() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let mut keys = Vec::new();
    for number in 0..100 {
        keys.push(device(&app, &format!("robot-{number}"), &[]).await);
    }
    for _ in 0..4 {
        let mut crowd = JoinSet::new();
        for key in keys.clone() {
            let address = app.address;
            crowd.spawn(async move {
                let auth = json!({"key": key, "last": null});
                let mut socket = Socket::connect_as(address, "/devices", &auth).await.unwrap();
                let heard = socket.ask_and_keep(json!(["done", {"id": 7}])).await;
                assert_eq!(heard["execute"], false);
            });
        }
        crowd.join_all().await;
    }
    app.end().await;
}
