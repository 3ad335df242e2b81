//! How each kind of answer, and none, is taken.

use std::time::Duration;

use common::signature;
use serde_json::Value;
use tokio::net::TcpListener;

use crate::support::{Answer, Database, Producer, Receiver};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

on_both! {
    async fn gone_stops_the_endpoint_until_somebody_asks_again(database: Database) {
        let receiver = Receiver::start().await;
        receiver.always(Answer::status(410));
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.endpoint_concurrency = 2;
        let producer = Producer::run(settings).await;
        let id = producer.produce("count=60&wait=0").await;
        let batch = producer.done(&id).await;
        assert_eq!(batch["failed"], 60);
        let sent = receiver.hooks().len();
        assert!(sent <= 2, "{sent} were sent to an endpoint that wanted none");
        let reasons: Vec<Value> = producer.lines(&id).await.iter().map(|line| line["reason"].clone()).collect();
        assert_eq!(reasons.iter().filter(|reason| *reason == "gone").count(), sent);
        assert_eq!(reasons.iter().filter(|reason| *reason == "stopped").count(), 60 - sent);

        receiver.always(Answer::status(200));
        let second = producer.produce("count=3&wait=0").await;
        assert_eq!(producer.done(&second).await["delivered"], 3);
        producer.post(&format!("/batches/{id}/retry"), "").await;
        assert_eq!(producer.done(&id).await["delivered"], 60);
    }

    async fn a_busy_receiver_is_sent_to_more_slowly(database: Database) {
        let receiver = Receiver::start().await;
        receiver.answer(|number, _| Answer::status([429, 502, 504, 429].get(number).copied().unwrap_or(200)));
        let mut settings = Producer::settings(&database, &receiver.url());
        settings.endpoint_concurrency = 4;
        let producer = Producer::run(settings).await;
        let id = producer.produce("count=30&wait=0").await;
        assert_eq!(producer.done(&id).await["delivered"], 30);
        let hooks = receiver.hooks();
        let pause = hooks[4].at - hooks[3].at;
        assert!(pause >= Duration::from_millis(900), "it paused for {pause:?} only");
    }
}

/// The last line of a batch of one task that goes to `url`.
async fn line_of(producer: &Producer, url: &str) -> Value {
    let id = producer.produce(&format!("count=1&to={url}")).await;
    producer.until(&id, "it was attempted", |batch| batch["seq"] != 0).await;
    producer.lines(&id).await.pop().unwrap()
}

/// A producer whose second attempt is far away.
async fn patient(database: &Database) -> Producer {
    let mut settings = Producer::settings(database, "http://localhost:1/");
    settings.retry_schedule = "0,1h".parse().unwrap();
    settings.delivery_timeout = Duration::from_millis(300);
    Producer::run(settings).await
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_is_not_followed() {
    let (database, receiver, elsewhere) = (Database::sqlite(), Receiver::start().await, Receiver::start().await);
    receiver.always(Answer::status(307).with("location", elsewhere.url()));
    let producer = patient(&database).await;
    let line = line_of(&producer, &receiver.url()).await;
    assert_eq!(
        (&line["outcome"], &line["status"], &line["reason"]),
        (&"retrying".into(), &307.into(), &"redirect".into())
    );
    assert!(line["text"].as_str().unwrap().contains(&elsewhere.url()));
    assert!(elsewhere.hooks().is_empty());
}

#[tokio::test]
async fn silence_is_a_timeout_in_words() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(200).after(Duration::from_mins(1)));
    let producer = patient(&database).await;
    let line = line_of(&producer, &receiver.url()).await;
    assert_eq!((&line["status"], &line["reason"]), (&Value::Null, &"timeout".into()));
    assert!(line["text"].as_str().unwrap().starts_with("no answer within 300 ms"), "{line}");
}

#[tokio::test]
async fn a_connection_that_ends_without_an_answer_is_told_from_a_refusal() {
    let database = Database::sqlite();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((connection, _)) = listener.accept().await {
            drop(connection);
        }
    });
    let producer = patient(&database).await;
    assert_eq!(line_of(&producer, &url).await["reason"], "disconnected");
}

#[tokio::test]
async fn a_name_that_does_not_exist_and_a_broken_handshake_are_named() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let producer = patient(&database).await;
    let line = line_of(&producer, "http://nothing.invalid/hooks").await;
    assert_eq!(line["reason"], "dns", "{line}");
    assert!(line["text"].as_str().unwrap().starts_with("name not found: nothing.invalid"), "{line}");
    let line = line_of(&producer, &receiver.url().replace("http:", "https:")).await;
    assert_eq!(line["reason"], "tls", "{line}");
}

#[tokio::test]
async fn a_producer_that_listens_wider_does_not_reach_its_own_machine_unless_allowed() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let mut settings = Producer::settings(&database, &receiver.url());
    settings.listen = "0.0.0.0:0".parse().unwrap();
    settings.common.admin_password = Some("open sesame".into());
    let wide = Producer::run(settings.clone()).await;
    let at = receiver.address.port();
    let post = |body: String| {
        let request = wide.request("POST", "/producetasks").bearer_auth("open sesame");
        request
            .header("accept", "application/json")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
    };
    assert_eq!(wide.get("/api/batches").await.status, 401);
    for host in ["127.0.0.1", "2130706433", "0x7f.1", "[::ffff:127.0.0.1]", "[::1]"] {
        let answer = post(format!("count=1&to=http://{host}:{at}/")).send().await.unwrap();
        assert_eq!(answer.status(), 400, "{host}");
        let problem: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        assert_eq!(problem["field"], "to", "{host}");
        assert!(problem["detail"].as_str().unwrap().contains("ALLOW_TARGETS"), "{host}");
    }
    let answer = post(format!("count=1&to=http://localhost:{at}/")).send().await.unwrap();
    assert_eq!(answer.status(), 202, "a name is resolved when it is sent to");
    let batch: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let path = format!("/api/batches/{}/lines", batch["id"].as_str().unwrap());
    let lines = crate::support::eventually("it was attempted", || async {
        let answer = wide.request("GET", &path).bearer_auth("open sesame").send().await.unwrap();
        let page: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
        page["lines"].as_array().filter(|lines| !lines.is_empty()).cloned()
    });
    let line = lines.await.remove(0);
    assert_eq!((&line["outcome"], &line["reason"]), (&"failed".into(), &"blocked".into()), "{line}");
    assert!(line["text"].as_str().unwrap().contains("ALLOW_TARGETS"), "{line}");
    assert!(receiver.hooks().is_empty());

    wide.stop().await;
    settings.allow_targets = "127.0.0.0/8,::1".parse().unwrap();
    let allowed = Producer::run(settings).await;
    let request = allowed.request("POST", "/producetasks").bearer_auth("open sesame");
    request.body("count=1").send().await.unwrap();
    receiver.arrived(1).await;
}

#[tokio::test]
async fn a_signature_that_the_receiver_can_check_goes_to_the_receiver_of_the_setting_only() {
    let (database, receiver, other) = (Database::sqlite(), Receiver::start().await, Receiver::start().await);
    let mut settings = Producer::settings(&database, &receiver.url());
    settings.webhook_secret = Some(SECRET.into());
    let producer = Producer::run(settings).await;
    producer.produce("count=1").await;
    producer.produce(&format!("count=1&to={}", other.url())).await;
    let hook = receiver.arrived(1).await.remove(0);
    let at_s: i64 = hook.header("webhook-timestamp").parse().unwrap();
    let stamp = (hook.id(), at_s);
    let secret = signature::secret_bytes(SECRET);
    let checked = signature::verify(&secret, (&stamp.0, stamp.1), &hook.body, &hook.header("webhook-signature"), at_s);
    assert_eq!(checked, Ok(()));
    assert!(other.arrived(1).await[0].headers.get("webhook-signature").is_none());
}
