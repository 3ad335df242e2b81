//! The calls that are made in the field, in all their spellings, and whom they reach.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD},
};
use serde_json::json;

use super::{CALL, Device, action, call, device, key, run};
use crate::support::{TestApp, eventually, on_both};

#[tokio::test]
async fn every_spelling_of_a_call_runs_the_action_and_is_an_event_of_the_log() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        device(&app, "lobby", &[]).await;
        action(&app, "a~?>>?", json!({})).await;
        let body = r#"{"event_id":"a~?>>?"}"#;
        let encode = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
        let mut links = Vec::new();
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            let payload = encode(&engine.encode(body));
            links.push(format!("{CALL}?api_key={key}&payload={payload}"));
            links.push(format!("{CALL}?payload={payload}&apiKey={key}"));
        }
        links.push(format!("{CALL}?eventId={}&apiKey={key}", encode("a~?>>?")));
        for link in &links {
            let answer = app.json(link).await;
            assert_eq!(
                (&answer["message"], &answer["reached"], &answer["queued"]),
                (&json!("success"), &json!(0), &json!(1))
            );
        }
        let last = run(&app, &key, "a~?>>?").await;
        let events = eventually("every execution is in the log", async || {
            let events = app.events().await;
            (events.len() == links.len() + 1).then_some(events)
        })
        .await;
        assert!(events.iter().all(|event| event["source"] == "actions" && event["body"]["event_id"] == "a~?>>?"));
        assert!(events.iter().any(|event| event["id"] == last.as_str() && event["body"]["key"] == "alarm system"));
        let whole = app.json(&format!("/api/events/{last}")).await.to_string() + &json!(events).to_string();
        assert!(!whole.contains(&key), "the key is nowhere: {whole}");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_a_sensor_says_comes_to_the_device() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let mut screen = Device::connect(&app, &device(&app, "lobby", &[]).await, json!(null)).await;
        action(&app, "door", json!({"function": "send_sensor_event_data", "parameters": {}})).await;
        let data = json!({"id": "door-1", "event": "opened", "value": 3});
        let (status, _) = call(&app, &key, json!({"event_id": "door", "sensor_data": data})).await;
        assert_eq!(status, 200);
        assert_eq!(screen.does().await["parameters"], json!({"sensor_data": data}));
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_target_reaches_exactly_whom_it_names_and_a_dry_run_only_says_so() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let keys = [
            device(&app, "a", &["north"]).await,
            device(&app, "b", &["north", "south"]).await,
            device(&app, "c", &[]).await,
        ];
        let mut b = Device::connect(&app, &keys[1], json!(null)).await;
        for (event_id, target, reached, queued) in [
            ("one", json!({"device": "c"}), 0, 1),
            ("north", json!({"groups": ["north", "nowhere"]}), 1, 1),
            ("south", json!({"groups": ["south"]}), 1, 0),
            ("tag", json!({"tags": ["all-of-them"]}), 1, 2),
            ("all", json!("all"), 1, 2),
        ] {
            action(&app, event_id, json!({"target": target})).await;
            let (_, answer) = call(&app, &key, json!({"event_id": event_id, "dry_run": true})).await;
            assert_eq!(answer, json!({"message": "success", "reached": reached, "queued": queued, "dry_run": true}));
        }
        assert_eq!(app.json("/api/executions").await["executions"], json!([]), "nothing was done");
        let execution = run(&app, &key, "south").await;
        assert_eq!(b.does().await["execution"], execution.as_str(), "the first that it gets");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn actions_of_one_event_id_run_in_their_order() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let screen = device(&app, "lobby", &[]).await;
        for (position, text) in [(3, "third"), (1, "first"), (2, "second")] {
            action(&app, "many", json!({"position": position, "parameters": {"text": text}})).await;
        }
        run(&app, &key, "many").await;
        let mut screen = Device::connect(&app, &screen, json!(null)).await;
        for text in ["first", "second", "third"] {
            assert_eq!(screen.does().await["parameters"]["text"], text);
        }
        app.end().await;
    })
    .await;
}
