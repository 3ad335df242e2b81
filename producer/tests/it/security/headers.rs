//! Line breaks that would become headers: in addresses, in names of events, in headers that subscriptions add, and in what receivers answer.

use serde_json::json;

use super::{routes, wide};
use crate::support::{
    Database,
    endpoint::Say,
    stage::Stage,
    wire::{get, patch, post},
};

#[tokio::test]
async fn no_line_break_in_an_address_becomes_a_header() {
    let stage = Stage::set(Database::sqlite()).await;
    for broken in ["%0d%0ax-evil:%201", "%0ax-evil:%201", "%0dx-evil:%201"] {
        for (method, path) in routes(broken) {
            let query = format!("next=/{broken}&said={broken}&q={broken}&cursor={broken}&state={broken}");
            let request = stage.producer.request(method, &format!("{path}?{query}")).header("accept", "text/html");
            let kind = if path.starts_with("/v1/") { "application/json" } else { "application/x-www-form-urlencoded" };
            let answer = request.header("content-type", kind).body(query.clone()).send().await.unwrap();
            assert!(!answer.headers().contains_key("x-evil"), "{method} {path}: {:?}", answer.headers());
            assert!(answer.status().as_u16() < 500, "{method} {path}: {}", answer.status());
        }
    }
}

#[tokio::test]
async fn who_signs_in_is_led_nowhere_else() {
    let stage = wide().await;
    let owner = stage.join("owner", "/owner").await;
    for next in ["//evil.example", "https://evil.example", "/%5Cevil.example", "/%09/evil.example", "/%0d%0ax-evil:1"] {
        for (path, fields, home) in [
            ("/login", "password=open+sesame".to_owned(), "/"),
            ("/account/login", format!("username=owner&api_key={}", owner.api_key), "/account"),
        ] {
            let request =
                stage.producer.request("POST", path).header("content-type", "application/x-www-form-urlencoded");
            let entered = request.body(format!("{fields}&next={next}")).send().await.unwrap();
            let place = entered.headers()["location"].to_str().unwrap();
            assert_eq!((entered.status().as_u16(), place), (303, home), "{path} {next}");
        }
    }
}

#[tokio::test]
async fn no_event_and_no_subscription_adds_a_header_of_its_own_making() {
    let stage = Stage::set(Database::sqlite()).await;
    let owner = stage.join("owner", "/owner").await;
    let plain = stage.wire.register(&owner, &"plain".into(), "{}").await;
    let subscription = stage.wire.subscribe(&owner, &plain).await;
    let options = format!("/v1/webhook/subscription/{subscription}/options");
    for headers in [
        json!({ "x-a": "1\r\nx-evil: 1" }),
        json!({ "x-a": "1\nx-evil: 1" }),
        json!({ "x-a": "\u{0}" }),
        json!({ "x-a\r\nx-evil": "1" }),
        json!({ "x-a: 1\r\nx-evil": "1" }),
        json!({ "": "1" }),
        json!({ "host": "evil.example" }),
        json!({ "content-length": "0" }),
        json!({ "transfer-encoding": "chunked" }),
        json!({ "webhook-signature": "v1,x" }),
    ] {
        let told = stage.wire.send(&patch(&*options).by(&owner).json(&json!({ "headers": headers }))).await;
        assert_eq!(told.status, 400, "{headers}: {}", told.text);
    }
    // PyWebhooks takes any name; what cannot be a header is not sent.
    let evil = stage.wire.register(&owner, &"a\r\nx-evil: 1".into(), "{}").await;
    stage.wire.subscribe(&owner, &evil).await;
    stage.wire.trigger(&owner, &evil).await;
    stage.wire.trigger(&owner, &plain).await;
    let calls = stage.endpoint.arrived("POST", "/owner", 1).await;
    assert!(calls.iter().all(|call| call.header("x-evil").is_none() && call.text("event") == "plain"), "{calls:?}");
}

#[tokio::test]
async fn what_a_receiver_answers_becomes_no_header_of_ours() {
    let stage = Stage::set(Database::sqlite()).await;
    let owner = stage.join("owner", "/owner").await;
    let registration = stage.wire.register(&owner, &"e".into(), "{}").await;
    let subscription = stage.wire.subscribe(&owner, &registration).await;
    stage.endpoint.script("POST", "/owner", Say::status(307).with("location", "/%0d%0ax-evil:%201"));
    let told = stage.wire.send(&post(format!("/v1/webhook/subscription/{subscription}/ping")).by(&owner)).await;
    assert!(matches!(told.status, 200 | 202), "{}", told.text);
    let shown = stage.wire.send(&get("/v1/webhook/deliveries?limit=1").by(&owner)).await;
    assert_eq!(shown.status, 200);
    let calls = stage.endpoint.calls("POST", "/%0d%0ax-evil:%201");
    assert!(calls.iter().all(|call| call.header("x-evil").is_none()));
}
