//! `CloudEvents` in their three modes, and the handshake before them.

use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::File;
use crate::support::{
    TestApp,
    database::{Database, Mode},
    on_both,
};

const HEAD: [(&str, &str); 4] =
    [("ce-specversion", "1.0"), ("ce-id", "A1"), ("ce-source", "/boiler"), ("ce-type", "temp.high")];
const STRUCTURED: (&str, &str) = ("content-type", "application/cloudevents+json; charset=utf-8");
const BATCHED: (&str, &str) = ("content-type", "application/cloudevents-batch+json");

fn event(id: &str) -> Value {
    json!({"specversion": "1.0", "id": id, "source": "/boiler", "type": "temp.high", "priority": "Major", "data": {"value": 81}})
}

#[tokio::test]
async fn events_in_every_mode_are_stored_as_one_object_and_once() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let binary = [&HEAD[..], &[("ce-priority", "Major"), ("content-type", "application/json")]].concat();
        for path in ["/consumetasks", "/consumetasks", "/consumetasks/boiler"] {
            assert_eq!(app.post(path, &binary, r#"{"value": 81}"#).await.status(), 200);
        }
        let mut expected = event("A1");
        expected["datacontenttype"] = "application/json".into();
        let events = app.events().await;
        assert_eq!(events.len(), 2, "a repeat is one of the same source");
        assert_eq!((&events[0]["body"], &events[0]["priority"]), (&expected, &json!("Major")));

        assert_eq!(app.post("/consumetasks", &[STRUCTURED], event("A1").to_string()).await.status(), 200);
        assert_eq!(app.total().await, 2, "in whatever mode it comes");
        let batch = json!([event("A1"), event("A2"), event("A3")]).to_string();
        assert_eq!(app.post("/consumetasks", &[BATCHED], batch).await.status(), 200);
        assert_eq!(app.post("/consumetasks", &[BATCHED], "[]").await.status(), 200);
        assert_eq!(app.total().await, 4);
        let with_id = [STRUCTURED, ("webhook-id", "msg_1")];
        for id in ["B1", "B2"] {
            assert_eq!(app.post("/consumetasks", &with_id, event(id).to_string()).await.status(), 200);
        }
        assert_eq!(app.total().await, 5, "a webhook-id goes first");
        let picture = [&HEAD[..3], &[("ce-type", "photo"), ("content-type", "image/png")]].concat();
        assert_eq!(app.post("/consumetasks/camera", &picture, vec![0xff, 0xd8]).await.status(), 200);
        assert_eq!(app.events().await[5]["body"]["data_base64"], "/9g=");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_is_no_event_is_refused_with_the_attribute_that_is_wrong() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let mut old = event("A1");
    old["specversion"] = "0.3".into();
    let cases = [
        (HEAD[..3].to_vec(), "{}".to_owned(), "type"),
        (vec![STRUCTURED], old.to_string(), "specversion"),
        (vec![BATCHED], json!([event("A1"), {"specversion": "1.0"}]).to_string(), "id"),
        ([&HEAD[..], &[("ce-time", "noon")]].concat(), String::new(), "time"),
    ];
    for (headers, body, attribute) in cases {
        let answer = app.post("/consumetasks", &headers, body.clone()).await;
        assert_eq!(answer.status(), 400, "{body}");
        let problem: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!(problem["attribute"], attribute, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(attribute), "{problem}");
    }
    assert_eq!(app.total().await, 0, "nothing of a batch is stored that has one that is wrong");
    app.end().await;
}

async fn ask(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = app.client.request(Method::OPTIONS, app.url(path));
    headers.iter().fold(request, |request, (name, value)| request.header(*name, *value)).send().await.unwrap()
}

#[tokio::test]
async fn who_asks_is_told_that_and_how_fast_it_may_send() {
    let database = Database::create(Mode::Embedded).await;
    let file = File::new(
        "sources:\n  - name: slow\n    rate_per_minute: 100\n  - name: door\n    guard: {kind: token, in: path}\n    secret: s3cr3ttoken\n  - name: github\n    guard: {kind: github}\n    secret: long enough\n",
    );
    let settings = [&file.setting(), "--allowed-origins", "https://app.example"];
    let app = TestApp::start(&database, &settings).await;
    let origin = ("WebHook-Request-Origin", "eventemitter.example.com");
    let asked =
        [origin, ("WebHook-Request-Rate", "120"), ("WebHook-Request-Callback", "https://example.com/confirm?id=1")];
    let cases = [
        ("/consumetasks", "*"),
        ("/consumetasks/new", "*"),
        ("/consumetasks/slow", "100"),
        ("/consumetasks/github", "*"),
        ("/consumetasks/door/s3cr3ttoken", "*"),
    ];
    for (path, rate) in cases {
        let answer = ask(&app, path, &asked).await;
        assert_eq!(answer.status(), 200, "{path}");
        let header = |name: &str| answer.headers()[name].to_str().unwrap();
        assert_eq!((header("webhook-allowed-origin"), header("webhook-allowed-rate")), (origin.1, rate), "{path}");
        assert_eq!(header("allow"), "POST, OPTIONS", "{path}");
    }
    for (path, headers, status) in [
        ("/consumetasks/door", &[origin][..], 401),
        ("/consumetasks/door/s3cr3ttokem", &[origin], 401),
        ("/consumetasks/slow/x", &[origin], 404),
        ("/consumetasks", &[origin, ("WebHook-Request-Rate", "0")], 400),
        ("/consumetasks", &[("WebHook-Request-Origin", "two words")], 400),
        ("/consumetasks", &[origin, ("Host", "evil.example")], 421),
    ] {
        let answer = ask(&app, path, headers).await;
        assert_eq!(answer.status(), status, "{path} {headers:?}");
        assert!(!answer.headers().contains_key("webhook-allowed-origin"), "{path}");
    }
    let browser = [("Origin", "https://app.example"), ("Access-Control-Request-Method", "POST")];
    let answer = ask(&app, "/consumetasks", &browser).await;
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["access-control-allow-origin"]),
        (200, &"https://app.example".parse().unwrap())
    );
    assert!(!answer.headers().contains_key("webhook-allowed-rate"));
    let delivered = app.post("/consumetasks", &[origin, ("Origin", origin.1)], "{}").await;
    assert_eq!(delivered.status(), 200, "older senders name themselves in Origin");
    app.end().await;
}

#[tokio::test]
async fn where_unknown_sources_are_refused_they_get_no_permission() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &["--unknown-sources", "refuse"]).await;
    let answer = ask(&app, "/consumetasks/new", &[("WebHook-Request-Origin", "a.example")]).await;
    assert_eq!(answer.status(), 403);
    assert!(!answer.headers().contains_key("webhook-allowed-origin"));
    assert_eq!(ask(&app, "/consumetasks", &[]).await.status(), 405, "no browser may without ALLOWED_ORIGINS");
    app.end().await;
}
