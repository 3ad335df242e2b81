//! What a device says that it shows.

use serde_json::{Value, json};

use super::{listed, own_key, pair};
use crate::{
    actions::Device,
    support::{TestApp, forms::page, on_both},
};

async fn says(device: &mut Device, showing: Value) {
    device.socket.emit(json!(["showing", showing])).await;
}

#[tokio::test]
async fn what_a_screen_shows_is_kept_and_told() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let id = pair(&app, "lobby-1", &own_key('a')).await;
        assert_eq!(listed(&app, &id, |_| true).await["showing"], Value::Null);
        let mut screen = Device::connect(&app, &own_key('a'), json!(0)).await;
        says(&mut screen, json!({"kind": "card", "label": "Wel\u{7}come"})).await;
        let shown = listed(&app, &id, |device| !device["showing"].is_null()).await["showing"].clone();
        assert_eq!(shown, json!({"kind": "card", "label": "Wel come"}));
        // Nonsense says nothing, and the newest of many is what counts.
        says(&mut screen, json!({"kind": "virus"})).await;
        says(&mut screen, json!([1])).await;
        for at in 0..50 {
            says(&mut screen, json!({"kind": "web", "label": format!("page {at} {}", "x".repeat(300))})).await;
        }
        let newest =
            listed(&app, &id, |device| device["showing"]["label"].as_str().unwrap().starts_with("page 49")).await;
        assert_eq!(newest["showing"]["label"].as_str().unwrap().chars().count(), 200);
        assert!(page(&app, "/screens").await.contains("page 49"));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_an_older_connection_says_does_not_count() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let id = pair(&app, "lobby-1", &own_key('a')).await;
        let old = Device::connect(&app, &own_key('a'), json!(0)).await;
        let mut new = Device::connect(&app, &own_key('a'), json!(0)).await;
        says(&mut new, json!({"kind": "dashboard"})).await;
        old.socket.ended().await;
        let shown = listed(&app, &id, |device| !device["showing"].is_null()).await["showing"].clone();
        assert_eq!(shown, json!({"kind": "dashboard", "label": ""}));
        app.end().await;
    })
    .await;
}
