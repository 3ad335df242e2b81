//! What the accounts API adds to the old wire contract: custom values, idempotency keys, the `CloudEvents` handshake, the throttle of key resets.

use std::time::{Duration, Instant};

use common::time::now_ms;
use futures_util::future::join_all;
use serde_json::{Value, json};

use crate::support::{
    Database,
    endpoint::{Call, Say},
    stage::Stage,
    wire::{Request, Told, User, get, post},
};

const REGISTERED: &str = r#"{"a": 1, "b": 2}"#;
const DAY_MS: i64 = 24 * 3600 * 1000;
const HOUR_MS: i64 = 3600 * 1000;

/// An owner, and a registration of theirs that `/sub` is subscribed to.
async fn scene(stage: &Stage) -> (User, String) {
    let owner = stage.join("owner", "/owner").await;
    let registration = stage.wire.register(&owner, &json!("e"), REGISTERED).await;
    stage.follower("sub", &registration).await;
    (owner, registration)
}

fn trigger(owner: &User, registration: &str) -> Request {
    post(format!("/v1/webhook/triggered/{registration}")).by(owner)
}

fn body(call: &Call) -> &str {
    std::str::from_utf8(&call.body).unwrap()
}

async fn deliveries(stage: &Stage) -> i64 {
    stage.number("select count(*) from deliveries").await
}

on_both! {
    async fn custom_values_are_sent_once_in_place_of_what_is_registered(database: Database) {
        let stage = Stage::set(database).await;
        let (owner, registration) = scene(&stage).await;
        let own = get("/v1/webhook/registration?start=0&limit=9").by(&owner);
        let before = stage.wire.must(&own).await;
        let customs = [(r#"{"z":1,"a":[true,"ü"]}"#, r#"{"a": [true, "\u00fc"], "z": 1}"#), ("7", "7"), ("null", "null")];
        for (place, (given, sent)) in customs.into_iter().enumerate() {
            let custom = format!(r#"{{"event":"other","event_data":{given}}}"#);
            stage.wire.must(&trigger(&owner, &registration).body(&custom)).await;
            let calls = stage.endpoint.arrived("POST", "/sub", place + 1).await;
            assert_eq!((body(&calls[place]), calls[place].text("event")), (sent, "e"));
        }
        stage.wire.trigger(&owner, &registration).await;
        assert_eq!(body(&stage.endpoint.arrived("POST", "/sub", 4).await[3]), REGISTERED);
        assert_eq!(stage.wire.must(&own).await, before, "what is registered stays");
    }

    async fn any_other_body_of_a_trigger_is_ignored(database: Database) {
        let stage = Stage::set(database).await;
        let (owner, registration) = scene(&stage).await;
        let bodies = ["", "anything", "\"{}\"", "[]", "null", "{}", r#"{"data":5}"#, r#"["event_data"]"#, r#"{"event_data":"#];
        for body in bodies {
            stage.wire.must(&trigger(&owner, &registration).body(body)).await;
        }
        let calls = stage.endpoint.arrived("POST", "/sub", bodies.len()).await;
        assert!(calls.iter().all(|call| body(call) == REGISTERED), "{calls:?}");
    }

    async fn an_idempotency_key_triggers_once_and_gets_the_same_answer(database: Database) {
        let stage = Stage::set(database).await;
        let (owner, registration) = scene(&stage).await;
        let keyed = |registration: &str, key: &str| trigger(&owner, registration).header("idempotency-key", key);
        let first = stage.wire.send(&keyed(&registration, "k")).await;
        let again = stage.wire.send(&keyed(&registration, "k").body(r#"{"event_data":9}"#)).await;
        assert_eq!((first.status, &first.text), (201, &again.text));
        assert_eq!((again.status, deliveries(&stage).await), (201, 1));
        let other = stage.wire.must(&keyed(&registration, "K")).await;
        assert_ne!(other["id"], first.json["id"]);
        let second = stage.wire.register(&owner, &json!("e2"), "{}").await;
        stage.follower("sub2", &second).await;
        assert_ne!(stage.wire.must(&keyed(&second, "k")).await["id"], first.json["id"]);
        stage.endpoint.arrived("POST", "/sub2", 1).await;
        assert_eq!(deliveries(&stage).await, 3);
        assert_eq!(stage.number("select count(*) from triggered").await, 3);
    }

    async fn requests_with_one_key_at_the_same_time_are_one_event(database: Database) {
        let stage = Stage::set(database).await;
        let (owner, registration) = scene(&stage).await;
        let request = trigger(&owner, &registration).header("idempotency-key", "k");
        let told: Vec<Told> = join_all((0..20).map(|_| stage.wire.send(&request))).await;
        assert!(told.iter().all(|one| (one.status, &one.text) == (201, &told[0].text)), "{told:?}");
        assert_eq!((deliveries(&stage).await, stage.number("select count(*) from triggered").await), (1, 1));
    }

    async fn an_idempotency_key_is_free_again_after_a_day(database: Database) {
        let stage = Stage::set(database).await;
        let (owner, registration) = scene(&stage).await;
        let request = trigger(&owner, &registration).header("idempotency-key", "k");
        let first = stage.wire.must(&request).await;
        let age = |by_ms| format!("update idempotency_keys set created_ms = created_ms - {by_ms}");
        assert_eq!(stage.change(&age(DAY_MS - HOUR_MS)).await, 1);
        assert_eq!(stage.wire.must(&request).await, first);
        stage.change(&age(HOUR_MS + 1)).await;
        let second = stage.wire.must(&request).await;
        assert_ne!(second["id"], first["id"]);
        assert_eq!((stage.wire.must(&request).await, deliveries(&stage).await), (second, 2));
    }

    async fn an_endpoint_that_agrees_by_cloudevents_is_sent_no_more_than_it_allows(database: Database) {
        let stage = Stage::set(database).await;
        let agreeing = Say::usual().with("webhook-allowed-origin", "*").with("webhook-allowed-rate", "300");
        stage.endpoint.script("OPTIONS", "/ce", agreeing);
        let told = stage.wire.send(&joining(&stage, "ce")).await;
        assert_eq!(told.status, 201, "{}", told.text);
        let asked = stage.endpoint.calls("OPTIONS", "/ce");
        assert!(asked.len() == 1 && !asked[0].text("webhook-request-origin").is_empty(), "{asked:?}");
        assert!(stage.endpoint.calls("GET", "/ce").is_empty(), "the one handshake is enough");

        let text = |key: &str| told.json[key].as_str().unwrap().to_owned();
        let user = User { id: text("id"), username: "ce".into(), api_key: text("api_key"), secret_key: text("secret_key") };
        let registration = stage.wire.register(&user, &json!("e"), "{}").await;
        stage.wire.subscribe(&user, &registration).await;
        let start = Instant::now();
        join_all((0..5).map(|_| stage.wire.trigger(&user, &registration))).await;
        let calls = stage.endpoint.arrived("POST", "/ce", 5).await;
        for (place, call) in (0..).zip(&calls) {
            // 300 a minute are 200 ms apart; a slot begins with the millisecond it is taken in.
            let earliest = Duration::from_millis(195) * place;
            assert!(call.at - start >= earliest, "{place} came after {:?}", call.at - start);
        }
    }

    async fn an_endpoint_that_does_not_agree_by_cloudevents_gets_no_account(database: Database) {
        let stage = Stage::set(database).await;
        let refusals = [
            Say::usual(),
            Say::usual().with("webhook-allowed-rate", "100"),
            Say::usual().with("webhook-allowed-origin", "elsewhere.example"),
            Say::status(404).with("webhook-allowed-origin", "*"),
            Say::usual().with("webhook-allowed-origin", "*").with("webhook-allowed-rate", "0"),
        ];
        for refusal in refusals {
            stage.endpoint.script("OPTIONS", "/ce", refusal.clone());
            let told = stage.wire.send(&joining(&stage, "ce")).await;
            assert_eq!(told.status, 400, "{refusal:?}: {}", told.text);
            assert!(told.json["Error"].as_str().unwrap().contains("WebHook-Allowed-Origin"), "{}", told.text);
        }
        stage.join("ce", "/ce").await;
    }

    async fn more_than_thirty_key_resets_an_hour_are_refused_and_the_keys_stay(database: Database) {
        let stage = Stage::set(database).await;
        let sam = stage.join("sam", "/sam").await;
        // 29 within this hour, and more than enough before it.
        for (count, at_ms) in [(29, now_ms() - HOUR_MS + 60_000), (40, now_ms() - HOUR_MS - 1000)] {
            let row = format!("('{}', '', {at_ms})", sam.id);
            let rows = vec![row; count].join(",");
            stage.change(&format!("insert into key_resets (account_id, address, at_ms) values {rows}")).await;
        }
        let reset = post("/v1/account/reset/apikey").header("username", "sam");
        stage.wire.must(&reset).await;
        let told = stage.endpoint.calls("GET", "/sam");
        let sam = User { api_key: told.last().unwrap().field("api_key").unwrap().to_owned(), ..sam };
        for request in [reset.clone(), post("/v1/account/reset/secretkey").by(&sam)] {
            let refused = stage.wire.send(&request).await;
            assert_eq!((refused.status, refused.retry_after.as_str()), (429, "3600"), "{}", refused.text);
            assert!(refused.json["Error"].is_string(), "{}", refused.text);
        }
        assert_eq!(stage.endpoint.calls("GET", "/sam").len(), told.len(), "the endpoint is left alone");
        assert_eq!(stage.wire.account(&sam).await["secret_key"], Value::from(sam.secret_key.as_str()));
        let other = stage.join("tom", "/tom").await;
        stage.wire.must(&post("/v1/account/reset/apikey").header("username", &other.username)).await;
        stage.change(&format!("update key_resets set at_ms = at_ms - {HOUR_MS}")).await;
        stage.wire.must(&reset).await;
    }

    async fn of_two_accounts_that_want_one_name_at_the_same_time_one_gets_it(database: Database) {
        let stage = Stage::set(database).await;
        for round in 0..10 {
            let body = json!({ "endpoint": stage.endpoint.url("/x"), "username": format!("name-{round}") });
            let request = post("/v1/account").json(&body);
            let (one, two) = tokio::join!(stage.wire.send(&request), stage.wire.send(&request));
            let (won, lost) = if one.status == 201 { (one, two) } else { (two, one) };
            assert_eq!((won.status, lost.status), (201, 409), "{won:?} {lost:?}");
            assert_eq!(lost.json, json!({ "Error": "Username already exists" }));
        }
        assert_eq!(stage.number("select count(*) from accounts where is_admin = 0").await, 10);
    }
}

/// Asks for an account at the path of its name.
fn joining(stage: &Stage, username: &str) -> Request {
    let endpoint = stage.endpoint.url(&format!("/{username}"));
    post("/v1/account").json(&json!({ "endpoint": endpoint, "username": username, "validation": "cloudevents" }))
}
