//! What the API, the pages and the stream tell of devices.

use reqwest::Response;
use serde_json::{Value, json};
use sqlx::Executor;

use super::reading;
use crate::support::{
    PATIENCE, TestApp,
    database::{Database, Mode},
    eventually, on_both,
};

async fn html(app: &TestApp, path: &str) -> String {
    let answer = app.client.get(app.url(path)).header("accept", "text/html").send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    answer.text().await.unwrap()
}

async fn from_boiler(app: &TestApp, body: &str) {
    assert_eq!(app.post("/consumetasks/boiler", &[], body.to_owned()).await.status(), 200);
}

#[tokio::test]
async fn devices_are_listed_by_source_with_all_that_is_known_of_them() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(reading("ai", "1_01", "NaN")).await;
        from_boiler(&app, r#"{"dev":"temp","circuit":"28","value":47.05,"type":"DS18B20","name":"Flow"}"#).await;
        from_boiler(&app, r#"{"dev":"di","circuit":"1_01","value":1,"alias":"Door_1"}"#).await;
        let listed = app.json("/api/devices").await["devices"].clone();
        let told = |device: &Value| ["source", "dev", "name", "type", "value", "unit"].map(|key| device[key].clone());
        let listed: Vec<_> = listed.as_array().unwrap().iter().map(told).collect();
        let row = |row: Value| serde_json::from_value::<[Value; 6]>(row).unwrap();
        let expected = [
            json!(["boiler", "di", "Door_1", "di", 1, null]),
            json!(["boiler", "temp", "Flow", "DS18B20", 47.05, null]),
            json!(["default", "ai", null, "ai", "NaN", "V"]),
        ];
        assert_eq!(listed, expected.map(row));
        for (query, total) in [("source=boiler", 2), ("q=FLOW", 1), ("q=or_1", 1), ("q=ai%201", 1), ("q=%25", 0)] {
            assert_eq!(app.json(&format!("/api/devices?{query}")).await["total"], total, "{query}");
        }
        assert_eq!(app.get("/api/devices?limit=0").await.status(), 400);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_history_has_every_value_and_how_long_it_held() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for value in ["5", "NaN", "6", "6"] {
            app.take(reading("ai", "1", value)).await;
        }
        let device = app.json("/api/devices/1?window=900").await;
        let values: Vec<&Value> = device["points"].as_array().unwrap().iter().map(|point| &point[1]).collect();
        // A value that stood for no whole millisecond is one point, any other is two.
        let mut course: Vec<_> = values.clone();
        course.dedup();
        assert_eq!(course, [&json!(5.0), &json!(null), &json!(6.0)], "{device}");
        let last = &device["points"].as_array().unwrap()[values.len() - 1];
        assert_eq!((&last[0], &last[1]), (&device["to"], &json!(6.0)), "the last one stands until now: {device}");
        assert_eq!((&device["complete"], &device["repeats"]), (&json!(true), &json!(1)));
        assert_eq!(app.get("/api/devices/1?window=7").await.status(), 400);
        assert_eq!(app.get("/api/devices/7").await.status(), 404);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_long_history_is_thinned_and_keeps_its_spike() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for part in 0..5 {
        let value = |at: i64| if part == 2 && at == 300 { 9999 } else { at % 10 };
        let lines: Vec<_> = (0..900).map(|at| reading("ai", "1", &value(at).to_string())).collect();
        app.take(lines.join("\n")).await;
    }
    let points = app.json("/api/devices/1?window=all").await["points"].as_array().unwrap().clone();
    assert!(points.len() <= 600, "{}", points.len());
    assert!(points.iter().any(|point| point[1] == 9999.0), "the spike is there");
    app.end().await;
}

#[tokio::test]
async fn the_page_tells_what_to_do_first_and_then_what_came() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let empty = html(&app, "/devices").await;
        assert!(empty.contains(&format!("address: http://{}/consumetasks/boiler", app.address)), "{empty}");
        from_boiler(&app, r#"{"dev":"temp","circuit":"28","value":47.05,"unit":"°C","alias":"Flow <b>"}"#).await;
        from_boiler(&app, r#"{"dev":"temp","circuit":"28","value":NaN,"alias":"Flow <b>"}"#).await;
        from_boiler(&app, r#"{"dev":"ro","circuit":"2_04","value":1}"#).await;
        let page = html(&app, "/devices").await;
        for part in ["Flow &#60;b&#62;", "not a number", "<polyline", "Relay", ">on", "boiler"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains(">Stale<"));
        assert!(!html(&app, "/devices?q=flow").await.contains("ro 2_04"));
        assert!(html(&app, "/devices?q=nothing").await.contains("No device matches"));
        let one = html(&app, "/devices/1?window=all").await;
        for part in ["not a number", "47.05", "°C", "plain-chart", "/events/@2"] {
            assert!(one.contains(part), "{part}: {one}");
        }
        assert_eq!(app.get("/devices/9").await.status(), 404);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_device_that_is_silent_for_too_long_is_stale_until_it_speaks() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--stale-after", "1ms"]).await;
    app.take(reading("ai", "1", "5")).await;
    eventually("it is stale", async || {
        let is_stale = app.json("/api/devices").await["devices"][0]["stale"] == true;
        (is_stale && html(&app, "/devices").await.contains(">Stale<")).then_some(())
    })
    .await;
    app.end().await;
    let app = TestApp::start(&database, &["--stale-after", "1h"]).await;
    assert_eq!(app.json("/api/devices").await["devices"][0]["stale"], false);
    app.end().await;
}

#[tokio::test]
async fn a_source_may_say_for_how_long_its_own_devices_may_be_silent() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--stale-after", "1ms"]).await;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let made = app.post("/new-source", &form, "kind=open&source=boiler&stale_after=1h").await;
    assert_eq!(made.status(), 303);
    from_boiler(&app, &reading("ai", "1", "5")).await;
    app.take(reading("ai", "1", "5")).await;
    let stale = async || {
        let told = |device: &Value| (device["source"].clone(), device["stale"].clone());
        app.json("/api/devices").await["devices"].as_array().unwrap().iter().map(told).collect::<Vec<_>>()
    };
    let expected = [(json!("boiler"), json!(false)), (json!("default"), json!(true))];
    eventually("the other one is stale", async || (stale().await == expected).then_some(())).await;
    app.end().await;
}

#[tokio::test]
async fn a_device_that_was_silent_for_a_month_and_has_no_event_makes_room() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for circuit in ["1", "2"] {
            app.take(reading("ai", circuit, "5")).await;
        }
        app.end().await;
        let mut beside = database.connection().await;
        beside.execute("delete from events where device = 1").await.unwrap();
        beside.execute("update devices set last_ms = 0").await.unwrap();
        let app = TestApp::start(&database, &[]).await;
        eventually("it is forgotten, and the one with an event is not", async || {
            let devices = app.json("/api/devices").await;
            // The list and its total are read one after the other.
            let is_settled = devices["total"] == 1 && devices["devices"].as_array().is_some_and(|all| all.len() == 1);
            is_settled.then(|| assert_eq!(devices["devices"][0]["circuit"], "2"))
        })
        .await;
        app.end().await;
    })
    .await;
}

/// The name of the stream's next event.
async fn heard(stream: &mut Response) -> String {
    let chunk = tokio::time::timeout(PATIENCE, stream.chunk()).await.expect("the stream says something");
    let text = String::from_utf8(chunk.unwrap().unwrap().to_vec()).unwrap();
    text.lines().find_map(|line| line.strip_prefix("event: ")).unwrap().to_owned()
}

#[tokio::test]
async fn who_looks_is_told_of_changes_and_repeats_on_every_node() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let other = match database.mode {
            Mode::Machines => Some(TestApp::start(&database, &[]).await),
            Mode::Embedded => None,
        };
        let mut stream = other.as_ref().unwrap_or(&app).get("/devices/events").await;
        assert_eq!(heard(&mut stream).await, "ready");
        for _ in 0..2 {
            app.take(reading("ai", "1", "5")).await;
            assert_eq!(heard(&mut stream).await, "moved");
        }
        app.end().await;
        if let Some(other) = other {
            other.end().await;
        }
    })
    .await;
}
