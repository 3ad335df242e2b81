//! What a screen shows by itself, and that it hears of every change.

use serde_json::{Value, json};
use tokio::process::Command;

use super::{ask, audit, content, listed, own_key, pair, put, with_key};
use crate::{
    actions::{Device, device, make},
    support::{
        TestApp,
        database::{Database, Mode},
        on_both,
    },
};

#[tokio::test]
async fn a_screen_reads_its_content_again_when_it_is_changed() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let id = pair(&app, "lobby-1", &own_key('a')).await;
        let path = format!("/api/action-devices/{id}/content");
        let before = content(&app, &own_key('a')).await;
        let mut screen = Device::connect(&app, &own_key('a'), json!(0)).await;
        let shown = json!({
            "items": [{"type": "web", "url": "https://a.example/", "seconds": 20}],
            "datasources": [{"name": "weather", "url": "https://a.example/w", "every_seconds": 60}],
            "rules": [{"event": "open", "value": 1, "show": {"type": "dashboard"}, "seconds": 20}],
        });
        assert_eq!(put(&app, &path, &shown).await.0, 204);
        let told = screen.does().await;
        assert_eq!((&told["function"], &told["parameters"]), (&json!("refresh_content"), &json!({"quiet": true})));
        let now = content(&app, &own_key('a')).await;
        assert_ne!(now["version"], before["version"]);
        assert_eq!(now["content"], app.json(&path).await);
        assert_eq!(now["content"]["rules"][0]["value"], "1", "it is compared as text");
        assert_eq!(audit(&app).await, ["call", "screen.content", "screen.accept"]);

        let (status, said) = put(&app, &path, &json!({"items": [{"type": "web", "url": "x", "seconds": 5}]})).await;
        assert!(status == 400 && said.contains("items[0]: url begins with http"), "{said}");
        assert_eq!(content(&app, &own_key('a')).await, now, "what is wrong changes nothing");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn only_a_screen_has_content() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        device(&app, "robot", &[]).await;
        let id = app.json("/api/action-devices").await["devices"][0]["id"].as_str().unwrap().to_owned();
        let some = json!({"items": [{"type": "dashboard", "seconds": 5}]});
        assert_eq!(put(&app, &format!("/api/action-devices/{id}/content"), &some).await.0, 409);
        assert_eq!(app.get(&format!("/api/action-devices/{id}/content")).await.status(), 409);
        assert_eq!(put(&app, "/api/action-devices/nobody/content", &some).await.0, 404);
        app.end().await;
    })
    .await;
}

/// Says of every group but the last: there is an emergency.
async fn emergency(app: &TestApp, group: &str) {
    let key = crate::actions::key(app).await;
    let action = json!({"name": "e", "event_id": "e", "function": "enable_emergency", "parameters": {"text": "Out"}, "target": {"groups": [group]}});
    make(app, "/api/actions", action).await;
    crate::actions::call(app, &key, json!({"event_id": "e"})).await;
}

#[tokio::test]
async fn new_groups_bring_a_screen_back_wherever_it_is() {
    let database = Database::create(Mode::Machines).await;
    let nodes = [TestApp::start(&database, &[]).await, TestApp::start(&database, &[]).await];
    let id = pair(&nodes[0], "lobby-1", &own_key('a')).await;
    let other = pair(&nodes[0], "hall-1", &own_key('b')).await;
    put(&nodes[0], &format!("/api/action-devices/{other}"), &json!({"groups": ["hall"], "tags": []})).await;
    emergency(&nodes[0], "hall").await;
    let screen = Device::connect(&nodes[1], &own_key('a'), json!(0)).await;
    assert_eq!((&screen.state["groups"], &screen.state["emergency"]), (&json!(["lobby"]), &Value::Null));

    let path = format!("/api/action-devices/{id}");
    assert_eq!(put(&nodes[0], &path, &json!({"groups": ["hall"], "tags": []})).await.0, 204);
    screen.socket.ended().await;
    let screen = Device::connect(&nodes[1], &own_key('a'), json!(0)).await;
    assert_eq!((&screen.state["groups"], &screen.state["emergency"]["text"]), (&json!(["hall"]), &json!("Out")));
    assert_eq!(listed(&nodes[0], &id, |device| device["online"] == true).await["groups"], json!(["hall"]));
    for node in nodes {
        node.end().await;
    }
}

#[tokio::test]
async fn one_device_is_told_to_do_something() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let id = pair(&app, "lobby-1", &own_key('a')).await;
        pair(&app, "lobby-2", &own_key('b')).await;
        let mut screen = Device::connect(&app, &own_key('a'), json!(0)).await;
        let path = format!("/api/action-devices/{id}/commands");
        let told = make(&app, &path, json!({"function": "show_toast", "parameters": {"text": "hi"}})).await;
        let command = screen.does().await;
        assert_eq!((&command["parameters"]["text"], &command["execution"]), (&json!("hi"), &told["execution_id"]));
        let execution = format!("/api/executions/{}", told["execution_id"].as_str().unwrap());
        let execution = app.json(&execution).await;
        assert_eq!((&execution["key"], &execution["commands"][1]), (&json!("admin"), &Value::Null), "only this one");
        let sensor = json!({"sensor_data": {"id": "door-1", "event": "open", "value": 1}});
        make(&app, &path, json!({"function": "send_sensor_event_data", "parameters": sensor})).await;
        assert_eq!(screen.does().await["parameters"], sensor);
        make(&app, &path, json!({"function": "enable_emergency", "parameters": {"text": "Out"}})).await;
        assert_eq!(screen.does().await["function"], "enable_emergency");
        let again = Device::connect(&app, &own_key('a'), json!(null)).await;
        assert_eq!(again.state["emergency"]["text"], "Out", "it holds for a late start");
        for (body, said) in [
            (json!({"function": "format_disk"}), "format_disk"),
            (json!({"function": "show_toast"}), "text"),
            (json!({"function": "wake", "ttl_ms": 0}), "ttl_ms is 1 to"),
            (json!({"function": "send_sensor_event_data"}), "sensor_data"),
        ] {
            let answer = app.post(&path, &[], body.to_string()).await;
            let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
            assert!(status == 400 && text.contains(said), "{body}: {status} {text}");
        }
        let nobody = app.post("/api/action-devices/nobody/commands", &[], r#"{"function":"wake"}"#).await;
        assert_eq!(nobody.status(), 404);
        app.end().await;
    })
    .await;
}

/// The commands of docs/actions.md, as they stand there.
#[tokio::test]
async fn the_commands_in_the_documentation_put_up_a_screen() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        ask(&app, "lobby-1", &own_key('a')).await;
        let text = include_str!("../../../../../docs/actions.md");
        let section = text.split("## Screens\n").nth(1).unwrap();
        let commands = section.split("```bash\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
        let commands = commands.replace("localhost:5001", &app.address.to_string()).replace("curl ", "curl -fsS ");
        let ran = Command::new("bash").args(["-euo", "pipefail", "-c", &commands]).output().await.unwrap();
        assert!(ran.status.success(), "{ran:?}");
        let shown = content(&app, &own_key('a')).await;
        assert_eq!((&shown["groups"], &shown["content"]["items"][0]["type"]), (&json!(["lobby"]), &json!("web")));
        let mut screen = Device::connect(&app, &own_key('a'), json!(0)).await;
        assert_eq!(screen.does().await["function"], "refresh_content");
        assert_eq!(screen.does().await["parameters"]["text"], "Lunch is ready");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_screen_gets_the_datasources_of_its_content_and_is_told_what_is_wrong_with_them() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = own_key('d');
        let id = pair(&app, "lobby-1", &key).await;
        let sources = json!([
            {"name": "weather", "url": app.url("/api/counts"), "every_seconds": 60},
            {"name": "cloud", "url": "http://169.254.169.254/latest", "every_seconds": 60},
            {"name": "page", "url": app.url("/healthz"), "every_seconds": 60},
        ]);
        let path = format!("/api/action-devices/{id}/content");
        let kept = json!({"items": [{"type": "dashboard", "seconds": 30}], "datasources": sources});
        assert_eq!(put(&app, &path, &kept).await.0, 204);
        let answer = with_key(&app, "/screen-api/datasources/weather?fresh=1", &key).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["cache-control"]), (200, &"no-store".parse().unwrap()));
        let told: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        assert!(told["fetched_at"].is_string() && told["value"]["total"].is_number(), "{told}");
        for (name, status, said) in
            [("cloud", 502, "ALLOW_TARGETS"), ("page", 502, "not JSON"), ("none", 404, "datasource")]
        {
            let answer = with_key(&app, &format!("/screen-api/datasources/{name}"), &key).await;
            assert_eq!(answer.status(), status, "{name}");
            let text = answer.text().await.unwrap();
            assert!(text.contains(said), "{name}: {text}");
        }
        let strange = with_key(&app, "/screen-api/datasources/weather", &own_key('e')).await;
        assert_eq!(strange.status(), 401);
        app.end().await;
    })
    .await;
}
