//! What the accounts API has beyond its contract: the delivery log, options, ping, recovery, holding, rotation.

use std::time::Duration;

use common::signature;
use serde_json::{Value, json};

use crate::support::{
    Database,
    endpoint::{Call, Say},
    eventually,
    stage::Stage,
    wire::{Request, User, get, patch, post, request},
};

const EVENT: &str = "order.paid";

/// An account that offers an event, and one that takes it; the registration and the subscription.
struct Pair {
    owner: User,
    taker: User,
    registration: String,
    subscription: String,
}

impl Pair {
    async fn of(stage: &Stage) -> Self {
        let (owner, taker) = (stage.join("owner", "/owner").await, stage.join("taker", "/taker").await);
        let registration = stage.wire.register(&owner, &EVENT.into(), r#"{"amount": 7}"#).await;
        let subscription = stage.wire.subscribe(&taker, &registration).await;
        Self { owner, taker, registration, subscription }
    }

    async fn trigger(&self, stage: &Stage, data: &Value) {
        let path = format!("/v1/webhook/triggered/{}", self.registration);
        stage.wire.must(&post(path).json(&json!({ "event_data": data })).by(&self.owner)).await;
    }

    fn of_subscription(&self, what: &str) -> String {
        format!("/v1/webhook/subscription/{}/{what}", self.subscription)
    }
}

/// The deliveries that the query finds, newest first.
async fn log(stage: &Stage, user: &User, query: &str) -> Vec<Value> {
    let page = stage.wire.must(&get(format!("/v1/webhook/deliveries?{query}")).by(user)).await;
    page["deliveries"].as_array().unwrap().clone()
}

/// Waits until so many deliveries of the user have this status.
async fn until(stage: &Stage, user: &User, status: &str, count: usize) -> Vec<Value> {
    let query = format!("status={status}&limit=500");
    let what = format!("{count} deliveries are {status}");
    eventually(&what, || async { Some(log(stage, user, &query).await).filter(|found| found.len() == count) }).await
}

/// Checks that a request is refused with this status and a text that has the word.
async fn refused(stage: &Stage, asked: Request, status: u16, word: &str) {
    let told = stage.wire.send(&asked).await;
    let text = told.json["Error"].as_str().or(told.json["message"].as_str()).unwrap_or_default();
    assert!(told.status == status && text.contains(word), "{} {}", told.status, told.text);
}

fn bodies(calls: &[Call]) -> Vec<String> {
    calls.iter().map(|call| String::from_utf8_lossy(&call.body).into_owned()).collect()
}

/// Whether `webhook-signature` of the call has a signature by this key.
fn is_signed_by(call: &Call, secret_key: &str) -> bool {
    let at_s: i64 = call.text("webhook-timestamp").parse().unwrap();
    let stamp = (call.text("webhook-id"), at_s);
    signature::verify(secret_key.as_bytes(), stamp, &call.body, call.text("webhook-signature"), at_s).is_ok()
}

on_both! {
    async fn the_log_tells_every_attempt_and_finds_by_what_is_asked_for(database: Database) {
        let stage = Stage::set(database).await;
        let pair = Pair::of(&stage).await;
        stage.endpoint.in_turn("POST", "/taker", &[Say::status(500), Say::json(&json!({}))]);
        pair.trigger(&stage, &json!({ "note": "50%_off" })).await;
        let delivered = until(&stage, &pair.taker, "delivered", 1).await.remove(0);
        let path = format!("/v1/webhook/deliveries/{}", delivered["id"].as_str().unwrap());
        let whole = stage.wire.must(&get(&path).by(&pair.taker)).await;
        assert_eq!(whole["body"], r#"{"note": "50%_off"}"#);
        let attempts = whole["attempts"].as_array().unwrap();
        let outcomes: Vec<_> = attempts.iter().map(|attempt| (&attempt["outcome"], &attempt["status"])).collect();
        assert_eq!(outcomes, [(&json!("retrying"), &json!(500)), (&json!("delivered"), &json!(200))]);
        assert!(!attempts[0]["next_at"].is_null() && attempts[0]["text"].is_string(), "{}", attempts[0]);
        let sent = attempts[1]["request_headers"].to_string();
        assert!(sent.contains(r#"["event","order.paid"]"#) && sent.contains("pywebhooks-signature"), "{sent}");
        for (query, count) in [
            ("", 1), ("q=50%25_off", 1), ("q=5%25off", 0), ("event=order.*", 1), ("event=order", 0), ("since=0", 1),
            ("since=2999-01-01T00:00:00Z", 0), ("until=2000-01-01T00:00:00Z", 0), ("status=failed", 0),
            (&format!("subscription={}", pair.subscription), 1), ("subscription=other", 0),
            (&format!("endpoint={}", stage.endpoint.url("/taker")), 1),
        ] {
            assert_eq!(log(&stage, &pair.taker, query).await.len(), count, "{query}");
            assert_eq!(log(&stage, &stage.admin, query).await.len(), count, "{query}");
        }
        assert_eq!(log(&stage, &pair.owner, "").await.len(), 0, "an account sees its own");
        refused(&stage, get(&path).by(&pair.owner), 404, "no such delivery").await;
        refused(&stage, get("/v1/webhook/deliveries?status=gone").by(&pair.taker), 400, "status").await;
        refused(&stage, get("/v1/webhook/deliveries?since=soon").by(&pair.taker), 400, "since").await;
        refused(&stage, get("/v1/webhook/deliveries?colour=red").by(&pair.taker), 400, "colour").await;
    }

    async fn pages_of_the_log_lose_and_repeat_nothing(database: Database) {
        let stage = Stage::set(database).await;
        let pair = Pair::of(&stage).await;
        for number in 0..7 {
            pair.trigger(&stage, &json!(number)).await;
        }
        until(&stage, &pair.taker, "delivered", 7).await;
        let (mut ids, mut cursor) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/webhook/deliveries?limit=3&cursor={cursor}");
            let page = stage.wire.must(&get(path).by(&pair.taker)).await;
            ids.extend(page["deliveries"].as_array().unwrap().iter().map(|found| found["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else { break };
            next.clone_into(&mut cursor);
        }
        assert!(ids.len() == 7 && ids.is_sorted_by(|left, right| left > right), "{ids:?}");
    }

    async fn what_failed_is_tried_again_one_by_one_or_recovered_together(database: Database) {
        let stage = Stage::set(database).await;
        let pair = Pair::of(&stage).await;
        stage.endpoint.script("POST", "/taker", Say::status(500));
        for number in 0..3 {
            pair.trigger(&stage, &json!(number)).await;
        }
        let failed = until(&stage, &pair.taker, "failed", 3).await;
        stage.endpoint.script("POST", "/taker", Say::json(&json!({})));
        let one = failed[0]["id"].as_str().unwrap();
        let retried = stage.wire.send(&post(format!("/v1/webhook/deliveries/{one}/retry")).by(&pair.taker)).await;
        assert_eq!(retried.status, 202, "{}", retried.text);
        until(&stage, &pair.taker, "delivered", 1).await;
        refused(&stage, post(format!("/v1/webhook/deliveries/{one}/retry")).by(&pair.taker), 409, "delivered already").await;
        let recover = async |body: Value| {
            stage.wire.must(&post(pair.of_subscription("recover")).json(&body).by(&pair.taker)).await["recovered"].clone()
        };
        assert_eq!(recover(json!({ "since": "2999-01-01T00:00:00Z" })).await, 0);
        assert_eq!(recover(json!({ "since": 0, "dry_run": true })).await, 2);
        assert_eq!(log(&stage, &pair.taker, "status=failed").await.len(), 2, "a dry run changes nothing");
        assert_eq!(recover(json!({ "since": 0 })).await, 2);
        until(&stage, &pair.taker, "delivered", 3).await;
        refused(&stage, post(pair.of_subscription("recover")).json(&json!({ "since": 0 })).by(&pair.owner), 404, "subscription").await;
    }

    async fn what_waits_can_be_cancelled(database: Database) {
        let stage = Stage::with(database, |mut settings| { settings.default_retry = Duration::from_hours(1); settings }).await;
        let pair = Pair::of(&stage).await;
        stage.endpoint.script("POST", "/taker", Say::status(500));
        pair.trigger(&stage, &json!(1)).await;
        stage.endpoint.arrived("POST", "/taker", 1).await;
        stage.failed(&pair.taker, 1).await;
        let waiting = until(&stage, &pair.taker, "waiting", 1).await.remove(0);
        let path = format!("/v1/webhook/deliveries/{}/cancel", waiting["id"].as_str().unwrap());
        assert_eq!(stage.wire.send(&post(&path).by(&pair.taker)).await.status, 202);
        until(&stage, &pair.taker, "cancelled", 1).await;
        refused(&stage, post(&path).by(&pair.taker), 409, "cancelled already").await;
    }

    async fn options_are_checked_kept_and_obeyed(database: Database) {
        let stage = Stage::set(database).await;
        let pair = Pair::of(&stage).await;
        let path = pair.of_subscription("options");
        for (change, word) in [
            (json!({ "profile": "fast" }), "profile"), (json!({ "fifo": 1 }), "fifo"), (json!({ "rate_per_minute": -1 }), "rate_per_minute"),
            (json!({ "filter": { "event": [] } }), "filter"), (json!({ "headers": { "Host": "x" } }), "Host"),
            (json!({ "headers": { "x": "a\nb" } }), "headers"), (json!({ "colour": "red" }), "colour"),
        ] {
            refused(&stage, patch(&path).json(&change).by(&pair.taker), 400, word).await;
        }
        let change = json!({ "profile": "standard", "headers": { "x-tenant": "7", "x-api-key": "s3" },
            "filter": { "events": ["order.*"], "data": [{ "pointer": "/amount", "greater": 5 }] } });
        let changed = stage.wire.must(&patch(&path).json(&change).by(&pair.taker)).await;
        assert_eq!((&changed["profile"], &changed["fifo"], &changed["filter"]), (&json!("standard"), &json!(false), &change["filter"]));
        assert_eq!(stage.wire.must(&get(&path).by(&pair.taker)).await, changed);
        refused(&stage, get(&path).by(&pair.owner), 404, "subscription").await;

        // Any 2xx is success now; what the filter lets through arrives with the headers.
        stage.endpoint.script("POST", "/taker", Say::status(204));
        for amount in [5, 6] {
            pair.trigger(&stage, &json!({ "amount": amount })).await;
        }
        let delivered = until(&stage, &pair.taker, "delivered", 1).await.remove(0);
        let calls = stage.endpoint.calls("POST", "/taker");
        assert_eq!(bodies(&calls), [r#"{"amount": 6}"#]);
        assert_eq!((calls[0].text("x-tenant"), calls[0].text("x-api-key")), ("7", "s3"));
        let path = format!("/v1/webhook/deliveries/{}", delivered["id"].as_str().unwrap());
        let sent = stage.wire.must(&get(path).by(&pair.taker)).await["attempts"][0]["request_headers"].to_string();
        assert!(sent.contains(r#"["x-tenant","7"]"#) && !sent.contains("s3"), "{sent}");
    }

    async fn a_bare_subscription_is_told_that_something_happened_and_not_what(database: Database) {
        let stage = Stage::set(database).await;
        let pair = Pair::of(&stage).await;
        let change = json!({ "profile": "bare", "headers": { "x-tenant": "7" } });
        let changed = stage.wire.must(&patch(pair.of_subscription("options")).json(&change).by(&pair.taker)).await;
        assert_eq!(changed["profile"], "bare");
        stage.endpoint.script("GET", "/taker", Say::status(204));
        pair.trigger(&stage, &json!({ "amount": 6 })).await;
        until(&stage, &pair.taker, "delivered", 1).await;
        // The first one was the endpoint's proof.
        let calls = stage.endpoint.calls("GET", "/taker").split_off(1);
        assert_eq!((bodies(&calls), calls[0].text("x-tenant")), (vec![String::new()], "7"));
        assert_eq!(stage.endpoint.count("POST", "/taker"), 0);
    }

    async fn a_ping_shows_its_attempt_and_counts_for_nothing(database: Database) {
        let stage = Stage::set(database).await;
        let pair = Pair::of(&stage).await;
        let ping = post(pair.of_subscription("ping")).by(&pair.taker);
        let shown = stage.wire.must(&ping).await;
        assert_eq!((&shown["status"], &shown["kind"], &shown["attempts"][0]["status"]), (&json!("delivered"), &json!("ping"), &json!(200)));
        stage.endpoint.script("POST", "/taker", Say::status(500));
        let shown = stage.wire.must(&ping.json(&json!({ "event_data": [1, 2] }))).await;
        assert_eq!((&shown["status"], &shown["body"], &shown["attempts_max"]), (&json!("failed"), &json!("[1, 2]"), &json!(1)));
        assert_eq!(bodies(&stage.endpoint.calls("POST", "/taker")), [r#"{"amount": 7}"#, "[1, 2]"]);
        assert_eq!(stage.wire.account(&pair.taker).await["failed_count"], 0);
    }

    async fn a_disabled_endpoint_loses_nothing_and_its_account_is_told(database: Database) {
        let stage = Stage::with(database, |mut settings| { settings.max_failed_count = 4; settings }).await;
        let pair = Pair::of(&stage).await;
        let told = json!({ "endpoint": stage.endpoint.url("/ops") });
        stage.wire.must(&request("PUT", "/v1/account/operational").json(&told).by(&pair.taker)).await;
        stage.endpoint.script("POST", "/taker", Say::status(500));
        pair.trigger(&stage, &json!(0)).await;
        let call = stage.endpoint.arrived("POST", "/ops", 1).await.remove(0);
        let event: Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!((&event["type"], &event["account_id"]), (&json!("endpoint.disabled"), &json!(pair.taker.id)));
        assert!(is_signed_by(&call, &pair.taker.secret_key));
        for number in 1..=3 {
            pair.trigger(&stage, &json!(number)).await;
        }
        until(&stage, &pair.taker, "held", 3).await;
        let health = stage.wire.must(&get("/v1/account/health").by(&pair.taker)).await;
        assert_eq!((&health["disabled"], &health["held"], &health["failed_count"]), (&json!(true), &json!(3), &json!(4)));
        stage.endpoint.script("POST", "/taker", Say::json(&json!({})));
        let enabled = stage.wire.must(&post("/v1/account/enable").by(&pair.taker)).await;
        assert_eq!(enabled["released"], 3);
        // With the one that told of it.
        until(&stage, &pair.taker, "delivered", 4).await;
        let mut replayed = bodies(&stage.endpoint.calls("POST", "/taker"));
        replayed.drain(..4);
        replayed.sort();
        assert_eq!(replayed, ["1", "2", "3"]);
        assert_eq!(stage.wire.must(&get("/v1/account/health").by(&pair.taker)).await["disabled"], false);
    }

    async fn a_new_endpoint_gets_what_was_held_for_the_old_one(database: Database) {
        let stage = Stage::with(database, |mut settings| { settings.max_failed_count = 4; settings }).await;
        let pair = Pair::of(&stage).await;
        stage.endpoint.script("POST", "/taker", Say::status(500));
        pair.trigger(&stage, &json!(0)).await;
        until(&stage, &pair.taker, "failed", 1).await;
        pair.trigger(&stage, &json!(1)).await;
        until(&stage, &pair.taker, "held", 1).await;
        stage.wire.move_to(&pair.taker, &stage.endpoint.url("/moved")).await;
        let calls = stage.endpoint.arrived("POST", "/moved", 1).await;
        assert_eq!(bodies(&calls), ["1"]);
    }

    async fn both_keys_sign_until_the_old_one_ends(database: Database) {
        let stage = Stage::set(database).await;
        let pair = Pair::of(&stage).await;
        let rotate = async |grace_s: u64| {
            let rotated = post("/v1/account/rotate/secretkey").json(&json!({ "grace_s": grace_s })).by(&pair.taker);
            stage.wire.must(&rotated).await["secret_key"].as_str().unwrap().to_owned()
        };
        let (first, second) = (pair.taker.secret_key.clone(), rotate(3600).await);
        pair.trigger(&stage, &json!(1)).await;
        let call = stage.endpoint.arrived("POST", "/taker", 1).await.remove(0);
        assert!(is_signed_by(&call, &first) && is_signed_by(&call, &second));
        assert_eq!(call.text("pywebhooks-signature"), signature::sign_sha1(second.as_bytes(), &call.body));
        let third = rotate(0).await;
        pair.trigger(&stage, &json!(2)).await;
        let call = stage.endpoint.arrived("POST", "/taker", 2).await.remove(1);
        assert!(is_signed_by(&call, &third) && !is_signed_by(&call, &second) && !is_signed_by(&call, &first));
        refused(&stage, post("/v1/account/rotate/secretkey").json(&json!({ "grace_s": 99_999_999 })).by(&pair.taker), 400, "grace_s").await;
    }
}
