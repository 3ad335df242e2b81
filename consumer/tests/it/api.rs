//! The read API.

use serde_json::{Value, json};

use crate::support::{
    TestApp,
    database::{Database, Mode},
    on_both, tasks,
};

async fn offsets(app: &TestApp, query: &str) -> Vec<i64> {
    let list = app.json(&format!("/api/events?{query}")).await;
    list["events"].as_array().unwrap().iter().map(|event| event["offset"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn the_log_is_read_forwards_backwards_and_by_what_is_asked() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(tasks("a", 8)).await;
        app.post("/consumetasks/hall", &[], r#"{"owner":"100% Ünique_x","priority":"Low"}"#).await;
        let cases: [(&str, &[i64]); 14] = [
            ("since=0&limit=3", &[1, 2, 3]),
            ("since=6", &[7, 8, 9]),
            ("since=9", &[]),
            ("before=3", &[2, 1]),
            ("order=desc&limit=2", &[9, 8]),
            ("before=&order=desc&limit=1", &[9]),
            ("priority=Critical", &[4, 8]),
            ("priority=Critical,Low", &[1, 4, 5, 8, 9]),
            ("priority=Critical&before=8", &[4]),
            ("source=hall", &[9]),
            ("q=owner%203", &[4]),
            ("q=100%25", &[9]),
            ("q=e_x&source=hall", &[9]),
            ("q=%C3%9Cnique", &[9]),
        ];
        for (query, expected) in cases {
            assert_eq!(offsets(&app, query).await, expected, "{query}");
        }
        for query in ["q=e%25x", "q=nothing+like+it", "source=cellar"] {
            assert!(offsets(&app, query).await.is_empty(), "{query}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_wrong_parameter_is_named() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for (path, parameter) in [
        ("/api/events?limit=0", "limit"),
        ("/api/events?limit=1001", "limit"),
        ("/api/events?since=yesterday", "since"),
        ("/api/events?before=yesterday", "before"),
        ("/api/events?priority=Urgent", "priority"),
        ("/api/rates?window=7", "window"),
    ] {
        let answer = app.get(path).await;
        assert_eq!(answer.status(), 400, "{path}");
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(problem["parameter"], parameter, "{path}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_nul_that_no_database_takes_is_a_bad_request() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for path in ["/api/events?q=%00", "/events?source=a%00", "/api/counts?source=%00", "/api/events/a%00"] {
            let answer = app.get(path).await;
            assert_eq!(answer.status(), 400, "{path}");
            assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
        }
        assert_eq!(app.post("/consumetasks/a%00", &[], "{}").await.status(), 400);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_method_that_is_not_taken_is_a_problem_that_says_which_is() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    for path in ["/api/events", "/events"] {
        let answer = app.post(path, &[], "").await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["allow"]), (405, &"GET,HEAD".parse().unwrap()));
        assert_eq!(answer.headers()["content-type"], "application/problem+json", "{path}");
    }
    app.end().await;
}

#[tokio::test]
async fn one_event_is_shown_with_its_request_as_it_was_received() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let raw = "{ \"z\": 1.0,\n \"a\": [1, 2], \"priority\": \"Low\" }";
        app.post(
            "/consumetasks/hall?x=1",
            &[("webhook-id", "msg/1"), ("x-note", "hello"), ("authorization", "Bearer s3cret")],
            raw,
        )
        .await;
        for path in ["/api/events/msg%2F1", "/api/events/@1"] {
            let event = app.json(path).await;
            assert_eq!((&event["raw"], &event["id"], &event["offset"]), (&json!(raw), &json!("msg/1"), &json!(1)));
            assert_eq!(
                (&event["method"], &event["path"], &event["source"]),
                (&json!("POST"), &json!("/consumetasks/hall?x=1"), &json!("hall"))
            );
            let headers = event["headers"].as_array().unwrap();
            assert!(headers.contains(&json!(["x-note", "hello"])));
            assert!(headers.contains(&json!(["authorization", "•••"])), "a secret is not kept");
        }
        for path in ["/api/events/nope", "/api/events/@2", "/api/events/@x", "/api/events/@9223372036854775807"] {
            assert_eq!(app.get(path).await.status(), 404, "{path}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn counts_sources_and_rates_agree() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(tasks("a", 6)).await;
        app.post("/consumetasks/hall", &[], tasks("b", 2)).await;
        assert_eq!(app.json("/api/counts?source=hall").await["total"], 2);
        let sources = app.json("/api/sources").await;
        let named: Vec<_> = sources["sources"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| (row["source"].clone(), row["total"].clone()))
            .collect();
        assert_eq!(named, [(json!("default"), json!(6)), (json!("hall"), json!(2))]);
        for (window, steps) in [(60, 60), (900, 90), (3600, 120), (86_400, 120)] {
            let rates = app.json(&format!("/api/rates?window={window}")).await;
            let points = rates["points"].as_array().unwrap();
            let sum: i64 = points
                .iter()
                .flat_map(|point| point.as_array().unwrap()[1..].to_vec())
                .map(|count| count.as_i64().unwrap())
                .sum();
            assert_eq!((points.len(), sum), (steps, 8), "{window}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn those_who_watch_are_told() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        app.take(tasks("a", 4)).await;
        assert_eq!(app.get("/healthz").await.status(), 200);
        assert_eq!(app.json("/readyz").await["checks"]["database"], "up");
        let metrics = app.get("/metrics").await.text().await.unwrap();
        assert!(metrics.contains(r#"hookcast_consumer_events_total{priority="Low"} 1"#), "{metrics}");
        let document = app.json("/openapi.json").await;
        for path in [
            "/consumetasks",
            "/api/events",
            "/api/events/{id}",
            "/api/counts",
            "/api/rates",
            "/api/sources",
            "/api/rules/test",
        ] {
            assert!(document["paths"][path].is_object(), "{path}");
        }
        app.end().await;
    })
    .await;
}
