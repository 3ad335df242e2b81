//! What is asked of an account's endpoint stands behind the same guard as deliveries, at every hop.

use serde_json::json;

use crate::support::{
    Database,
    endpoint::{Endpoint, Say},
    stage::Stage,
    wire::post,
};

#[tokio::test]
async fn a_producer_that_listens_wider_asks_nothing_of_its_own_machine() {
    let endpoint = Endpoint::start().await;
    let stage = Stage::with(Database::sqlite(), |mut settings| {
        settings.listen = "0.0.0.0:0".parse().unwrap();
        settings.common.admin_password = Some("open sesame".into());
        settings
    })
    .await;
    let port = endpoint.address.port();
    for host in ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"] {
        let told = stage
            .wire
            .send(
                &post("/v1/account").json(&json!({ "username": host, "endpoint": format!("http://{host}:{port}/ok") })),
            )
            .await;
        assert_eq!((told.status, &told.json), (400, &json!({ "Error": "Echo response failed" })), "{host}");
    }
    assert!(endpoint.calls("GET", "/ok").is_empty(), "it was asked");
}

#[tokio::test]
async fn a_redirect_to_where_it_may_not_connect_is_not_followed() {
    let forbidden = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
    forbidden.set_nonblocking(true).unwrap();
    let stage = Stage::with(Database::sqlite(), |mut settings| {
        settings.listen = "0.0.0.0:0".parse().unwrap();
        settings.common.admin_password = Some("open sesame".into());
        settings.allow_targets = "127.0.0.1".parse().unwrap();
        settings
    })
    .await;
    stage.join("outside", "/ok").await;
    let inside = format!("http://{}/ok", forbidden.local_addr().unwrap());
    stage.endpoint.script("GET", "/inside", Say::status(302).with("location", &inside));
    let asked = post("/v1/account").json(&json!({ "username": "inside", "endpoint": stage.endpoint.url("/inside") }));
    let told = stage.wire.send(&asked).await;
    assert_eq!((told.status, &told.json), (400, &json!({ "Error": "Echo response failed" })));
    assert_eq!(stage.endpoint.calls("GET", "/inside").len(), 1);
    assert!(forbidden.accept().is_err(), "it was connected to");
}
