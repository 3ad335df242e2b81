//! What the API takes, refuses and tells.

use serde_json::{Value, json};

use crate::support::{Answer, Database, Producer, Receiver, Reply};

async fn one() -> (Database, Receiver, Producer) {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let producer = Producer::start(&database, &receiver).await;
    (database, receiver, producer)
}

#[tokio::test]
async fn a_browsers_form_is_led_to_the_batchs_page_and_a_program_gets_json() {
    let (_database, _receiver, producer) = one().await;
    let post = |accept: &'static str, kind: &'static str, body: &'static str| {
        let request = producer.request("POST", "/producetasks").header("accept", accept);
        let request = if kind.is_empty() { request } else { request.header("content-type", kind) };
        request.body(body).send()
    };
    let form = "application/x-www-form-urlencoded";
    let cases = [
        ("text/html,application/xhtml+xml,*/*;q=0.8", form, "count=2&wait=&seed=&to=&weights=", 303),
        ("*/*", form, "count=2", 303),
        ("*/*", "", "", 303),
        ("application/json", form, "count=2", 202),
        ("*/*", "application/json", r#"{"count": 2}"#, 202),
        ("application/json", form, r#" {"count": 2}"#, 202),
        ("text/html, application/json", form, "count=2", 303),
        ("application/json", "application/json", r#"{"count": "2", "wait": 0, "seed": 3, "weights": {"Low": 1}}"#, 202),
        ("application/json", "", "", 202),
    ];
    for (accept, kind, body, expected) in cases {
        let reply = Reply::read(post(accept, kind, body).await.unwrap()).await;
        assert_eq!(reply.status, expected, "{accept} {kind} {body}: {}", reply.text);
        let id = reply.location.strip_prefix("/batches/").unwrap().to_owned();
        assert_eq!(producer.batch(&id).await["id"], id.as_str());
        if expected == 202 {
            assert_eq!(reply.json["id"], id.as_str());
        }
    }
}

#[tokio::test]
async fn every_bad_input_says_which_field_to_change() {
    let (_database, _receiver, producer) = one().await;
    let long = format!(r#"{{"to": "http://localhost/{}"}}"#, "a".repeat(3000));
    let cases = [
        (r#"{"count": 0}"#, "count"),
        (r#"{"count": 100001}"#, "count"),
        (r#"{"count": -1}"#, "count"),
        (r#"{"count": 1.5}"#, "count"),
        (r#"{"count": "many"}"#, "count"),
        (r#"{"count": [1]}"#, "count"),
        (r#"{"wait": "soon"}"#, "wait"),
        (r#"{"wait": -1}"#, "wait"),
        (r#"{"wait": "25h"}"#, "wait"),
        (r#"{"wait": true}"#, "wait"),
        (r#"{"seed": -1}"#, "seed"),
        (r#"{"seed": 18446744073709551616}"#, "seed"),
        (r#"{"seed": "x"}"#, "seed"),
        (r#"{"to": "localhost:5001"}"#, "to"),
        (r#"{"to": "nonsense"}"#, "to"),
        (r#"{"to": "ftp://localhost/"}"#, "to"),
        (r#"{"to": "javascript:alert(1)"}"#, "to"),
        (r#"{"to": "http://"}"#, "to"),
        (r#"{"to": 5}"#, "to"),
        (r#"{"to": "http://user:secret@localhost/"}"#, "to"),
        (r#"{"to": "http://user@localhost/"}"#, "to"),
        (r#"{"to": "http://10.0.0.1/"}"#, "to"),
        (r#"{"to": "http://169.254.169.254/latest"}"#, "to"),
        (&long, "to"),
        (r#"{"weights": "1,2,3"}"#, "weights"),
        (r#"{"weights": [0, 0, 0, 0]}"#, "weights"),
        (r#"{"weights": {"Huge": 1}}"#, "weights"),
        (r#"{"weights": 7}"#, "weights"),
        (r#"{"cuont": 3}"#, "cuont"),
        ("{", ""),
        ("[1]", ""),
        ("\"count\"", ""),
    ];
    for (body, field) in cases {
        let request = producer.request("POST", "/producetasks").header("content-type", "application/json");
        let reply = Reply::read(request.body(body.to_owned()).send().await.unwrap()).await;
        assert_eq!(reply.status, 400, "{body}: {}", reply.text);
        assert!(!reply.json["detail"].as_str().unwrap().is_empty());
        assert_eq!(reply.json["field"].as_str().unwrap_or(""), field, "{body}: {}", reply.text);
    }
    assert_eq!(producer.post("/producetasks", "count=abc").await.json["field"], "count");
    assert_eq!(producer.post("/producetasks", "cuont=3").await.json["field"], "cuont");
    let huge = producer.post("/producetasks", &format!("seed={}", "1".repeat(70_000))).await;
    assert_eq!((huge.status, &huge.json["status"]), (413, &413.into()));
    assert_eq!(producer.get("/api/batches").await.json, json!({ "batches": [] }), "nothing was queued");
}

#[tokio::test]
async fn lists_are_cut_and_continued() {
    let (_database, receiver, producer) = one().await;
    receiver.answer(|number, _| Answer::status(if number < 2 { 410 } else { 200 }));
    let failed = producer.produce("count=2&wait=0").await;
    producer.done(&failed).await;
    let id = producer.produce("count=7&wait=0").await;
    producer.done(&id).await;

    let newest = producer.get("/api/batches?limit=1").await.json;
    assert_eq!((newest["batches"].as_array().unwrap().len(), &newest["batches"][0]["id"]), (1, &id.as_str().into()));
    let mut places: Vec<Value> = Vec::new();
    let mut path = format!("/api/deliveries?batch={id}&limit=3");
    loop {
        let page = producer.get(&path).await.json;
        places.extend(page["deliveries"].as_array().unwrap().iter().map(|delivery| delivery["n"].clone()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/api/deliveries?batch={id}&limit=3&cursor={next}");
    }
    assert_eq!(places, [1, 2, 3, 4, 5, 6, 7]);

    let first = producer.get("/api/deliveries?limit=5").await.json;
    let next = first["next"].as_str().unwrap();
    let second = producer.get(&format!("/api/deliveries?limit=5&cursor={next}")).await.json;
    assert_eq!((second["deliveries"].as_array().unwrap().len(), &second["next"]), (4, &Value::Null));
    let dead = producer.get("/api/deliveries?state=failed").await.json;
    assert_eq!(dead["deliveries"].as_array().unwrap().len(), 2);
    assert!(dead["deliveries"].as_array().unwrap().iter().all(|delivery| delivery["batch"] == failed.as_str()));
    let delivered = producer.get(&format!("/api/deliveries?state=delivered&batch={failed}")).await.json;
    assert_eq!(delivered["deliveries"], json!([]));
    let lines = producer.get(&format!("/api/batches/{id}/lines?after=2&limit=3")).await.json;
    assert_eq!(
        lines["lines"].as_array().unwrap().iter().map(|line| line["seq"].clone()).collect::<Vec<_>>(),
        [3, 4, 5]
    );
}

on_both! {
    async fn what_cannot_be_asked_for_is_a_problem(database: Database) {
        let receiver = Receiver::start().await;
        let producer = Producer::start(&database, &receiver).await;
        let id = producer.produce("count=1").await;
        let cases = [
            ("GET", "/api/batches?limit=0".to_owned(), 400, "limit"),
            ("GET", "/api/batches?limit=501".into(), 400, "limit"),
            ("GET", "/api/batches?limit=x".into(), 400, "limit"),
            ("GET", "/api/deliveries?state=lost".into(), 400, "state"),
            ("GET", "/deliveries?state=lost".into(), 400, "state"),
            ("GET", "/api/deliveries?batch=%27".into(), 400, "batch"),
            ("GET", "/api/deliveries?cursor=a%27b".into(), 400, "cursor"),
            ("GET", "/deliveries?cursor=%27".into(), 400, "cursor"),
            ("GET", format!("/api/batches/{id}/lines?limit=1001"), 400, "limit"),
            ("GET", format!("/api/batches/{id}/lines?after=x"), 400, "after"),
            ("GET", format!("/batches/{id}/events?after=x"), 400, "after"),
            ("GET", "/api/batches/none".into(), 404, ""),
            ("GET", "/api/batches/a%27b".into(), 404, ""),
            ("GET", "/api/batches/%ff".into(), 404, ""),
            ("GET", "/batches/%27".into(), 404, ""),
            ("GET", "/batches/%27/events".into(), 404, ""),
            ("GET", "/api/batches/none/lines".into(), 404, ""),
            ("GET", "/api/deliveries/none".into(), 404, ""),
            ("GET", format!("/deliveries/{}", "a".repeat(65)), 404, ""),
            ("POST", "/batches/none/cancel".into(), 404, ""),
            ("POST", "/batches/%27/retry".into(), 404, ""),
            ("POST", "/api/deliveries/none/retry".into(), 404, ""),
            ("GET", "/nowhere".into(), 404, ""),
            ("GET", "/producetasks".into(), 405, ""),
            ("DELETE", "/deliveries".into(), 405, ""),
        ];
        for (method, path, expected, field) in cases {
            let response = producer.request(method, &path).send().await.unwrap();
            assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
            let reply = Reply::read(response).await;
            assert_eq!((reply.status, reply.json["field"].as_str().unwrap_or("")), (expected, field), "{}", reply.text);
        }
        let refused = producer.request("GET", "/producetasks").send().await.unwrap();
        assert_eq!(refused.headers()["allow"], "POST");
    }
}

#[tokio::test]
async fn a_page_of_another_origin_cannot_press_the_button() {
    let (_database, _receiver, producer) = one().await;
    for (name, value, expected) in [
        ("origin", "https://evil.example", 403),
        ("sec-fetch-site", "cross-site", 403),
        ("host", "evil.example", 421),
        ("sec-fetch-site", "same-origin", 303),
    ] {
        let reply = producer.request("POST", "/producetasks").header(name, value).body("count=1").send().await.unwrap();
        assert_eq!(reply.status(), expected, "{name}: {value}");
    }
}

#[tokio::test]
async fn those_who_watch_are_told() {
    let (_database, _receiver, producer) = one().await;
    let id = producer.produce("count=3&wait=0").await;
    producer.done(&id).await;
    assert_eq!(producer.get("/healthz").await.text, "ok\n");
    assert_eq!(producer.get("/readyz").await.json["ready"], true);
    let metrics = producer.get("/metrics").await.text;
    assert!(metrics.contains(r#"hookcast_producer_attempts_total{outcome="delivered"} 3"#), "{metrics}");
    assert!(metrics.contains("hookcast_producer_deliveries_waiting 0"), "{metrics}");
    let openapi = producer.get("/openapi.json").await.json;
    for path in ["/producetasks", "/api/batches/{id}", "/batches/{id}/events", "/api/deliveries/{id}/retry", "/healthz"]
    {
        assert!(openapi["paths"][path].is_object(), "{path}");
    }
    assert!(openapi["components"]["schemas"]["Line"].is_object());
}
