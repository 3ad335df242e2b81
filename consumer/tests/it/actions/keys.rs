//! Keys, actions, devices and the audit, as the administrator works with them.

use serde_json::{Value, json};

use super::{action, device, key, made_key, make, run};
use crate::support::{TestApp, on_both};

#[tokio::test]
async fn a_key_is_sealed_shown_again_and_says_when_it_was_used() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let made = make(&app, "/api/keys", json!({"name": "alarm", "event_ids": ["fire"], "max_uses": 3})).await;
        let (id, key) = (made["id"].as_str().unwrap(), made["key"].as_str().unwrap());
        device(&app, "lobby", &[]).await;
        action(&app, "fire", json!({})).await;
        run(&app, key, "fire").await;
        let listed = app.json("/api/keys").await["keys"][0].clone();
        assert_eq!((&listed["uses"], &listed["last_used_from"]), (&json!(1), &json!("127.0.0.1")));
        assert!(listed["last_used_at"].is_string() && !listed.to_string().contains(key));
        assert_eq!(app.json(&format!("/api/keys/{id}/key")).await, json!({"key": key}));
        let mut rows = database.connection().await;
        let kept: String =
            sqlx::query_scalar("select sealed || key_sha256 from api_keys").fetch_one(&mut rows).await.unwrap();
        assert!(!kept.contains(key));
        let audit = app.json("/api/audit").await["audit"].as_array().unwrap().clone();
        let whats: Vec<&str> = audit.iter().map(|line| line["what"].as_str().unwrap()).collect();
        assert_eq!(whats, ["key.reveal", "call", "action.create", "device.create", "key.create"]);
        let csv = app.get("/api/audit.csv?q=fire").await.text().await.unwrap();
        assert_eq!(csv.lines().count(), 3, "a head, the call and the action: {csv}");
        assert!(csv.contains(r#""alarm","127.0.0.1","call","fire","200","show_toast on 1 device""#), "{csv}");
        device(&app, "hall", &[]).await;
        run(&app, key, "fire").await;
        assert_eq!(app.json("/api/audit?q=fire").await["audit"][0]["detail"], "show_toast on 2 devices");
        let cut = app.get("/api/audit.csv?q=fire&limit=2").await.text().await.unwrap();
        assert!(cut.lines().count() == 4 && cut.contains("Cut: these are the newest 2 lines."), "{cut}");
        let whole = app.get("/api/audit.csv?q=fire&limit=3").await.text().await.unwrap();
        assert!(whole.lines().count() == 4 && !whole.contains("Cut:"), "{whole}");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_and_says_why() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        key(&app).await;
        device(&app, "lobby", &[]).await;
        let toast = |name: &str, value: Value| {
            let mut action = json!({"name": "a", "event_id": "e", "function": "show_toast", "parameters": {"text": "t"}, "target": "all"});
            action[name] = value;
            action
        };
        for (path, body, status, said) in [
            ("/api/keys", json!({"name": "alarm system"}), 409, "of this name"),
            ("/api/keys", json!({"name": " "}), 400, "name"),
            ("/api/keys", json!({"name": "b", "expires_at": "soon"}), 400, "expires_at"),
            ("/api/keys", json!({"name": "b", "event_ids": []}), 400, "event_ids"),
            ("/api/keys", json!({"name": "b", "rate_per_minute": 0}), 400, "rate_per_minute"),
            ("/api/keys", json!({"name": "b", "scope": "x"}), 400, "scope"),
            ("/api/action-devices", json!({"name": "lobby"}), 409, "of this name"),
            ("/api/action-devices", json!({"name": "b", "groups": ["a\u{0}"]}), 400, "groups"),
            ("/api/actions", toast("target", json!({"groups": []})), 400, "target.groups"),
            ("/api/actions", toast("target", json!("some")), 400, "some"),
            ("/api/actions", toast("function", json!("format_disk")), 400, "format_disk"),
            ("/api/actions", toast("ttl_ms", json!(0)), 400, "ttl_ms"),
            ("/api/actions", toast("parameters", json!({"txt": "t"})), 400, "txt"),
            ("/api/actions", toast("event_id", json!(" e")), 400, "event_id"),
        ] {
            let answer = app.post(path, &[], body.to_string()).await;
            let (got, text) = (answer.status().as_u16(), answer.text().await.unwrap());
            assert!(got == status && text.contains(said), "{path} {body}: {got} {text}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_action_is_changed_and_deleted_and_a_device_moves() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = made_key(&app, json!({"name": "k"})).await;
        device(&app, "lobby", &[]).await;
        let made = action(&app, "before", json!({})).await;
        let path = format!("/api/actions/{}", made["id"].as_str().unwrap());
        let new = json!({"name": "n", "event_id": "after", "function": "wake", "target": {"groups": ["south"]}});
        let answer = app.client.put(app.url(&path)).body(new.to_string()).send().await.unwrap();
        assert_eq!(answer.status(), 204);
        assert_eq!(super::call(&app, &key, json!({"event_id": "before"})).await.0, 404);
        assert_eq!(super::call(&app, &key, json!({"event_id": "after"})).await.0, 404, "nobody is in that group");
        let id = app.json("/api/action-devices").await["devices"][0]["id"].as_str().unwrap().to_owned();
        let place = format!("/api/action-devices/{id}");
        let answer = app.client.put(app.url(&place)).body(r#"{"groups":["south"],"tags":[]}"#).send().await.unwrap();
        assert_eq!(answer.status(), 204);
        run(&app, &key, "after").await;
        for path in [&path, &place] {
            assert_eq!(app.client.delete(app.url(path)).send().await.unwrap().status(), 204);
            assert_eq!(app.client.delete(app.url(path)).send().await.unwrap().status(), 404);
        }
        app.end().await;
    })
    .await;
}
