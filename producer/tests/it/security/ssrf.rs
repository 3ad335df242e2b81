//! Addresses of this machine and its network, however they are written and wherever they are given: nobody is connected to.

use std::net::TcpListener;

use serde_json::{Value, json};

use super::{PASSWORD, wide};
use crate::support::{
    endpoint::Say,
    eventually,
    stage::Stage,
    wire::{get, patch, post, request},
};

/// 127.0.0.2, which no setting allows, and what else is nobody's business, in every spelling that a URL takes.
const HOSTS: [&str; 22] = [
    "127.0.0.2",
    "127.0.0.2.",
    "2130706434",
    "0x7f000002",
    "0177.0.0.2",
    "0x7f.2",
    "127.2",
    "127。0。0。2",
    "①②⑦.0.0.2",
    "%31%32%37.0.0.2",
    "[::ffff:127.0.0.2]",
    "[::ffff:7f00:2]",
    "[0:0:0:0:0:ffff:127.0.0.2]",
    "[::127.0.0.2]",
    "[64:ff9b::7f00:2]",
    "[2002:7f00:2::]",
    "0.0.0.0",
    "0",
    "[::]",
    "[::1]",
    "169.254.169.254",
    "[fe80::1]",
];

/// Listens where nobody may be sent to; fails when somebody came.
struct Trap(TcpListener);

impl Trap {
    fn set() -> Self {
        let listener = TcpListener::bind("127.0.0.2:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    fn url(&self, host: &str) -> String {
        format!("http://{host}:{}/ok", self.0.local_addr().unwrap().port())
    }

    fn nobody_came(&self, how: &str) {
        assert!(self.0.accept().is_err(), "{how}: it was connected to");
    }
}

/// Waits until the only delivery of the subscription has failed; gives why.
async fn failed(stage: &Stage, user: &crate::support::wire::User, subscription: &str) -> Value {
    let query = format!("/v1/webhook/deliveries?subscription={subscription}&limit=10");
    eventually("it was tried", || async {
        let page = stage.wire.must(&get(&*query).by(user)).await;
        Some(page["deliveries"][0]["reason"].clone()).filter(Value::is_string)
    })
    .await
}

#[tokio::test]
async fn no_batch_is_posted_there() {
    let (stage, trap) = (wide().await, Trap::set());
    for host in HOSTS {
        let order = json!({ "count": 1, "to": trap.url(host) }).to_string();
        let request = stage.producer.request("POST", "/producetasks").bearer_auth(PASSWORD);
        let answer = request.header("content-type", "application/json").body(order).send().await.unwrap();
        let status = answer.status().as_u16();
        let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert_eq!((status, &told["field"]), (400, &"to".into()), "{host}");
    }
    trap.nobody_came("a batch");
}

#[tokio::test]
async fn no_account_has_an_endpoint_there() {
    let (stage, trap) = (wide().await, Trap::set());
    let joined = stage.join("joined", "/joined").await;
    for (number, host) in HOSTS.iter().enumerate() {
        for validation in ["echo", "cloudevents"] {
            let account = json!({ "username": format!("{validation}{number}"), "endpoint": trap.url(host), "validation": validation });
            assert_eq!(stage.wire.send(&post("/v1/account").json(&account)).await.status, 400, "{host}");
        }
        let told = request("PUT", "/v1/account/operational").by(&joined).json(&json!({ "endpoint": trap.url(host) }));
        assert_eq!(stage.wire.send(&told).await.status, 400, "{host}");
    }
    trap.nobody_came("a handshake");
}

#[tokio::test]
async fn no_event_is_delivered_there_though_an_account_moved_there() {
    let (stage, trap) = (wide().await, Trap::set());
    let owner = stage.join("owner", "/owner").await;
    let registration = stage.wire.register(&owner, &"e".into(), "{}").await;
    let change = |url: String| patch("/v1/account").by(&owner).json(&json!({ "endpoint": url }));
    for host in HOSTS {
        // The contract moves an endpoint without a word to it.
        stage.wire.must(&change(trap.url(host))).await;
        let subscription = stage.wire.subscribe(&owner, &registration).await;
        stage.wire.trigger(&owner, &registration).await;
        assert_eq!(failed(&stage, &owner, &subscription).await, "blocked", "{host}");
        let reset = post("/v1/account/reset/secretkey").by(&owner);
        let status = stage.wire.send(&reset).await.status;
        assert!(matches!(status, 400 | 429), "{host}: {status}");
        let remove = request("DELETE", format!("/v1/webhook/subscription/{subscription}")).by(&owner);
        stage.wire.must(&remove).await;
    }
    trap.nobody_came("a delivery");
}

#[tokio::test]
async fn no_redirect_leads_there() {
    let (stage, trap) = (wide().await, Trap::set());
    let owner = stage.join("owner", "/owner").await;
    let registration = stage.wire.register(&owner, &"e".into(), "{}").await;
    for status in [301, 302, 303, 307, 308] {
        for host in ["127.0.0.2", "2130706434", "[::ffff:127.0.0.2]", "[::1]", "169.254.169.254"] {
            let script = Say::status(status).with("location", &trap.url(host));
            stage.endpoint.script("POST", "/owner", script.clone());
            let subscription = stage.wire.subscribe(&owner, &registration).await;
            stage.wire.trigger(&owner, &registration).await;
            assert_eq!(failed(&stage, &owner, &subscription).await, "blocked", "{status} {host}");
            let remove = request("DELETE", format!("/v1/webhook/subscription/{subscription}")).by(&owner);
            stage.wire.must(&remove).await;
        }
    }
    trap.nobody_came("a redirect");
}
