//! Who gets nothing: each refusal has its answer, and is in the audit.

use serde_json::{Value, json};

use super::{CALL, action, call, device, key, made_key, run};
use crate::support::{
    TestApp,
    database::{Database, Mode},
    on_both,
};

/// The answer to a link, which is an error in the words of the contract.
async fn refused(app: &TestApp, query: &str) -> (u16, String) {
    let answer = app.get(&format!("{CALL}?{query}")).await;
    let status = answer.status().as_u16();
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["message"], "Error", "{body}");
    (status, body["error"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn each_refusal_says_what_to_change_and_is_in_the_audit() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let good = key(&app).await;
        device(&app, "<b>lobby</b>", &["lobby"]).await;
        action(&app, "known", json!({"name": "<script>alert(1)</script>"})).await;
        action(&app, "nobody", json!({"target": {"groups": ["attic"]}})).await;
        action(&app, "sensor", json!({"function": "send_sensor_event_data", "parameters": {}})).await;
        let expired = made_key(&app, json!({"name": "old", "expires_at": "2020-01-01T00:00:00Z"})).await;
        let narrow = made_key(&app, json!({"name": "narrow", "event_ids": ["sensor"]})).await;
        let once = made_key(&app, json!({"name": "once", "max_uses": 1})).await;
        let deleted = super::make(&app, "/api/keys", json!({"name": "deleted"})).await;
        let path = format!("/api/keys/{}", deleted["id"].as_str().unwrap());
        assert_eq!(app.client.delete(app.url(&path)).send().await.unwrap().status(), 204);
        let deleted = deleted["key"].as_str().unwrap();
        run(&app, &once, "known").await;
        let cases = [
            ("eventId=known".to_owned(), 401, "is missing"),
            ("eventId=known&api_key=guess".into(), 401, "no such API key"),
            (format!("eventId=known&api_key={deleted}"), 401, "no such API key"),
            (format!("eventId=known&api_key={expired}"), 401, "expired at 2020-01-01"),
            (format!("eventId=known&api_key={narrow}"), 403, "may not call the event id known"),
            (format!("eventId=known&api_key={once}"), 403, "used up"),
            (format!("eventId=strange&api_key={good}"), 404, "No action has the event id strange"),
            (format!("eventId=nobody&api_key={good}"), 404, "group attic"),
            (format!("eventId=sensor&api_key={good}"), 400, "sensor_data"),
            (format!("payload=***&api_key={good}"), 400, "no Base64"),
            (format!("payload=bm90IGpzb24&api_key={good}"), 400, "JSON object"),
            (format!("api_key={good}"), 400, "payload"),
        ];
        for (query, expected, said) in &cases {
            let (status, error) = refused(&app, query).await;
            assert!(status == *expected && error.contains(said), "{query}: {status} {error}");
        }
        let (status, answer) = call(&app, &good, json!({"event_id": "a".repeat(2 << 20)})).await;
        assert_eq!((status, &answer["message"]), (413, &json!("Error")));
        let audit = app.json("/api/audit").await["audit"].as_array().unwrap().clone();
        for (query, status, said) in &cases {
            let is_it = |line: &&Value| line["status"] == *status && line["detail"].as_str().unwrap().contains(said);
            assert!(audit.iter().any(|line| is_it(&line) && line["from"] == "127.0.0.1"), "{query}: {audit:?}");
        }
        assert!(audit.iter().any(|line| line["status"] == 413 && line["who"] == "alarm system"));
        assert!(audit.iter().any(|line| line["subject"] == "<script>alert(1)</script>"), "a name is kept as it is");
        let all = json!(audit).to_string();
        for secret in [&good, &expired, &narrow, &once, deleted] {
            assert!(!all.contains(secret), "no key is in the audit");
        }
        let executions = app.json("/api/executions").await["executions"].as_array().unwrap().len();
        assert_eq!(executions, 1, "only the good call did something");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_key_that_calls_too_often_waits() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let slow = made_key(&app, json!({"name": "slow", "rate_per_minute": 2})).await;
    device(&app, "lobby", &[]).await;
    action(&app, "known", json!({})).await;
    for _ in 0..2 {
        run(&app, &slow, "known").await;
    }
    let answer = app.get(&format!("{CALL}?eventId=known&apiKey={slow}")).await;
    let wait: u64 = answer.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!(answer.status() == 429 && (1..=30).contains(&wait), "{wait}");
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["message"], "Error");
    assert_eq!(app.json("/api/audit?q=a%20minute").await["audit"][0]["status"], 429);
    app.end().await;
}

#[tokio::test]
async fn who_guessed_too_often_waits_and_a_good_key_from_there_is_good_all_the_same() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let good = key(&app).await;
    device(&app, "lobby", &[]).await;
    action(&app, "known", json!({})).await;
    for guess in 0..20 {
        assert_eq!(refused(&app, &format!("eventId=known&apiKey=guess{guess}")).await.0, 401);
    }
    assert_eq!(refused(&app, "eventId=known&apiKey=one-more").await.0, 429);
    assert_eq!(call(&app, &good, json!({"event_id": "known"})).await.0, 200);
    let device = crate::support::socket::Socket::connect_as(app.address, "/devices", &json!({"key": "x"})).await;
    assert!(device.err().unwrap().contains("Too many wrong keys"));
    app.end().await;
}

#[tokio::test]
async fn other_methods_are_refused_in_the_same_words() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let answer = app.client.put(app.url(CALL)).send().await.unwrap();
    assert_eq!(answer.status(), 405);
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["message"], "Error");
    app.end().await;
}

#[tokio::test]
async fn a_link_that_is_only_looked_at_calls_nothing() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start(&database, &[]).await;
    let good = key(&app).await;
    device(&app, "lobby", &[]).await;
    action(&app, "known", json!({})).await;
    let link = app.url(&format!("{CALL}?eventId=known&apiKey={good}"));
    assert_eq!(app.client.head(&link).send().await.unwrap().status(), 405);
    let prepared = app.client.get(&link).header("sec-purpose", "prefetch;prerender").send().await.unwrap();
    assert_eq!(prepared.status(), 403);
    assert_eq!(app.json("/api/executions").await["executions"], json!([]));
    run(&app, &good, "known").await;
    app.end().await;
}

#[tokio::test]
async fn on_a_wide_address_calls_need_their_key_only_and_the_rest_the_password() {
    let database = Database::create(Mode::Embedded).await;
    let app = TestApp::start_on("0.0.0.0:0", &database, &["--admin-password", "right"]).await;
    for path in ["/api/keys", "/api/actions", "/api/action-devices", "/api/executions", "/api/audit", "/api/audit.csv"]
    {
        assert_eq!(app.get(path).await.status(), 401, "{path}");
    }
    let answer = app.post("/api/keys", &[("authorization", "Bearer right")], r#"{"name":"a"}"#).await;
    let made: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let key = made["key"].as_str().unwrap();
    assert_eq!(call(&app, key, json!({"event_id": "none"})).await.0, 404, "the key was enough");
    app.end().await;
}
