//! What a device says again is counted, not appended.

use serde_json::{Value, json};

use super::reading;
use crate::support::{
    TestApp,
    database::{Database, Mode},
    eventually, on_both,
    socket::Socket,
};

/// The value and the repeats of each event.
async fn kept(app: &TestApp) -> Vec<(Value, i64)> {
    let told = |event: &Value| (event["body"]["value"].clone(), event["repeats"].as_i64().unwrap());
    app.events().await.iter().map(told).collect()
}

#[tokio::test]
async fn a_reading_that_says_nothing_new_is_counted_on_the_one_it_repeats() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for value in ["1", "1", "2", "2", "2", "1"] {
            app.take(reading("ai", "1_01", value)).await;
        }
        assert_eq!(kept(&app).await, [(json!(1), 1), (json!(2), 2), (json!(1), 0)]);
        let event = &app.events().await[1];
        assert!(event["repeated_at"].as_str() >= event["received_at"].as_str(), "{event}");
        let devices = app.json("/api/devices").await;
        let device = &devices["devices"][0];
        assert_eq!((&devices["total"], &device["id"], &device["offset"]), (&json!(1), &json!(1), &json!(3)));
        assert_eq!((&device["value"], &device["repeats"]), (&json!(1), &json!(0)));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_order_within_one_commit_is_kept() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(["1", "2", "1"].map(|value| reading("ai", "1", value)).join("\n")).await;
        app.take(["1", "1", "7", "7", "7"].map(|value| reading("ai", "2", value)).join("\n")).await;
        let expected = [(json!(1), 0), (json!(2), 0), (json!(1), 0), (json!(1), 1), (json!(7), 2)];
        assert_eq!(kept(&app).await, expected);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn the_same_circuit_of_another_kind_or_source_is_another_device() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for (path, dev) in [("/consumetasks", "ai"), ("/consumetasks", "ao"), ("/consumetasks/boiler", "ai")] {
            for _ in 0..2 {
                assert_eq!(app.post(path, &[], reading(dev, "1", "5")).await.status(), 200);
            }
        }
        assert_eq!(kept(&app).await, [(json!(5), 1), (json!(5), 1), (json!(5), 1)]);
        assert_eq!(app.json("/api/devices?source=boiler").await["total"], 1);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_moves_by_itself_is_no_change() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for time in [1, 2, 3] {
        app.take(format!(r#"{{"dev":"temp","circuit":"28","value":6.5,"time":{time}}}"#)).await;
        app.take(format!(r#"{{"dev":"modbus_slave","circuit":"1","last_comm":0.{time}}}"#)).await;
    }
    assert_eq!(kept(&app).await, [(json!(6.5), 2), (json!(null), 2)]);
    app.end().await;
}

#[tokio::test]
async fn a_modbus_slave_that_falls_silent_or_answers_again_is_a_change() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for last_comm in ["0.1", "60.5", "75.0", "2147483647", "0.2"] {
        app.take(format!(r#"{{"dev":"modbus_slave","circuit":"1","last_comm":{last_comm}}}"#)).await;
    }
    let told: Vec<_> = app.events().await.iter().map(|event| event["priority"].clone()).collect();
    assert_eq!(told, ["Low", "Major", "Low"]);
    app.end().await;
}

#[tokio::test]
async fn a_flood_of_not_a_number_neither_grows_the_log_nor_moves_the_dashboard() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(r#"{"owner":"Norma Fisher","priority":"Major"}"#).await;
        let body = format!("[{}]", reading("ai", "2_01", "NaN"));
        app.take(body.clone()).await;
        let mut page = Socket::connect(app.address, "/live").await;
        let before = page.ask(json!(["join", {}])).await["frame"].clone();
        for _ in 0..10 {
            futures_util::future::join_all((0..50).map(|_| app.take(body.clone()))).await;
        }
        assert_eq!(kept(&app).await[1], (json!("NaN"), 500));
        let after = page.ask(json!(["join", {"since": before["head"]}])).await["frame"].clone();
        assert_eq!((&after["head"], &after["counts"]), (&before["head"], &before["counts"]));
        assert_eq!(after["events"], json!([]), "nothing pushes Norma Fisher away");
        eventually("the open page counts", async || {
            let frame = page.event("frame").await[0].clone();
            (frame["repeated"][0]["offset"] == 2 && frame["repeated"][0]["repeats"] == 500).then_some(())
        })
        .await;
        let html = app.get("/").await.text().await.unwrap();
        assert!(html.contains("Norma Fisher") && html.contains("×500, last <time"), "{html}");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_repeated_webhook_id_is_dropped_and_counts_nothing() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for id in ["a", "a", "b", "a"] {
            assert_eq!(app.post("/consumetasks", &[("webhook-id", id)], reading("ai", "1", "5")).await.status(), 200);
        }
        assert_eq!(kept(&app).await, [(json!(5), 1)], "b says the same once more");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn two_nodes_see_one_device() {
    let database = Database::create(Mode::Machines).await;
    let nodes = [TestApp::start(&database, &[]).await, TestApp::start(&database, &[]).await];
    let sending = (0..60).map(|at| {
        let node = &nodes[at % 2];
        async move { node.take(reading("ai", "1", "5")).await }
    });
    futures_util::future::join_all(sending).await;
    nodes[1].take(reading("ai", "1", "6")).await;
    nodes[0].take(reading("ai", "1", "6")).await;
    for node in nodes {
        assert_eq!(kept(&node).await, [(json!(5), 59), (json!(6), 1)]);
        let devices = node.json("/api/devices").await;
        assert_eq!((&devices["total"], &devices["devices"][0]["repeats"]), (&json!(1), &json!(1)));
        node.end().await;
    }
}

#[tokio::test]
async fn a_repeat_of_what_was_forgotten_still_counts_on_the_device() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(reading("ai", "1", "5")).await;
        app.end().await;
        let app = TestApp::start(&database, &["--retention", "1ms"]).await;
        eventually("its event is forgotten", async || app.events().await.is_empty().then_some(())).await;
        app.take(reading("ai", "1", "5")).await;
        assert_eq!((app.total().await, app.events().await.len()), (1, 0));
        let device = app.json("/api/devices/1?window=all").await;
        assert_eq!((&device["repeats"], &device["value"], &device["points"]), (&json!(1), &json!(5), &json!([])));
        for path in ["/devices", "/devices/1"] {
            assert_eq!(app.get(path).await.status(), 200, "{path}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn beyond_ten_thousand_devices_a_reading_is_an_event_like_any_other() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for hundred in 0..100 {
            let many = (0..100).map(|at| format!(r#"{{"dev":"x","circuit":"{hundred}_{at}"}}"#));
            app.take(format!("[{}]", many.collect::<Vec<_>>().join(","))).await;
        }
        for _ in 0..2 {
            app.take(reading("ai", "beyond", "5")).await;
        }
        app.take(r#"{"dev":"x","circuit":"0_0"}"#).await;
        assert_eq!(app.total().await, 10_002, "a new device is not counted, a known one is");
        assert_eq!(app.json("/api/devices?limit=1").await["total"], 10_000);
        app.end().await;
    })
    .await;
}
