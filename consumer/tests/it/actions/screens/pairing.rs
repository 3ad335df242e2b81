//! A screen asks, and the operator says yes or no.

use serde_json::{Value, json};

use super::{ask, audit, content, delete, own_key, pair, put, with_key};
use crate::{
    actions::{Device, device},
    support::{TestApp, on_both},
};

#[tokio::test]
async fn a_screen_shows_a_code_until_it_is_accepted() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let (_, first) = ask(&app, "lobby-1", &own_key('a')).await;
        let code = first["code"].as_str().unwrap();
        assert!(code.len() == 6 && first["expires_at"].is_string(), "{first}");
        let (_, again) = ask(&app, "lobby-1", &own_key('a')).await;
        assert_eq!(again["code"], first["code"], "it keeps its code while it asks");
        let (_, other) = ask(&app, "lobby-2", &own_key('a')).await;
        assert_ne!(other["code"], first["code"], "a yes to the code is a yes to the name beside it");
        let stale = format!("/api/pairings/{}/accept", first["code"].as_str().unwrap());
        assert_eq!(app.post(&stale, &[], "").await.status(), 404);
        let (_, first) = ask(&app, "lobby-1", &own_key('a')).await;
        let code = first["code"].as_str().unwrap();
        let waiting = app.json("/api/pairings").await["pairings"].clone();
        assert_eq!((&waiting[0]["name"], &waiting[0]["from"]), (&json!("lobby-1"), &json!("127.0.0.1")));
        assert_eq!((&waiting[0]["code"], &waiting[1]), (&json!(code), &Value::Null));
        assert!(!waiting.to_string().contains(&own_key('a')), "keys are nobody's business");
        assert_eq!(with_key(&app, "/screen-api/content", &own_key('a')).await.status(), 401);

        pair(&app, "lobby-1", &own_key('a')).await;
        let told = ask(&app, "lobby-1", &own_key('a')).await;
        assert_eq!(told, (200, json!({"state": "paired", "device": "lobby-1"})));
        let content = content(&app, &own_key('a')).await;
        assert_eq!((&content["groups"], &content["tags"]), (&json!(["lobby"]), &json!(["4k"])));
        assert_eq!(content["content"]["items"][0]["type"], "dashboard");
        assert_eq!(app.json("/api/pairings").await["pairings"], json!([]));
        assert_eq!(app.json("/api/action-devices").await["devices"][0]["kind"], "screen");
        assert_eq!(audit(&app).await, ["screen.accept"]);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_screen_that_is_refused_does_not_come_back_at_once() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let (_, told) = ask(&app, "lobby-1", &own_key('a')).await;
        let path = format!("/api/pairings/{}", told["code"].as_str().unwrap());
        assert_eq!(delete(&app, &path).await, 204);
        assert_eq!(ask(&app, "lobby-1", &own_key('a')).await.0, 403);
        assert_eq!(app.json("/api/pairings").await["pairings"], json!([]));
        assert_eq!(delete(&app, &path).await, 404, "it does not wait any more");
        assert_eq!(app.post(&format!("{path}/accept"), &[], "{}").await.status(), 404);
        assert_eq!(ask(&app, "lobby-1", &own_key('b')).await.1["state"], "waiting", "another one may ask");
        assert_eq!(audit(&app).await, ["screen.refuse"]);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_screen_that_stopped_asking_is_forgotten() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let (_, told) = ask(&app, "lobby-1", &own_key('a')).await;
        // A minute later.
        sqlx::query("update pairings set expires_ms = 1").execute(&mut database.connection().await).await.unwrap();
        assert_eq!(app.json("/api/pairings").await["pairings"], json!([]));
        let path = format!("/api/pairings/{}/accept", told["code"].as_str().unwrap());
        assert_eq!(app.post(&path, &[], "{}").await.status(), 404);
        let (_, again) = ask(&app, "lobby-1", &own_key('a')).await;
        assert_ne!(again["code"], told["code"]);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn one_address_has_ten_screens_wait_and_all_together_a_hundred() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        for at in 0..10 {
            assert_eq!(ask(&app, "lobby", &format!("{at:064}")).await.0, 200);
        }
        let answer = app.post("/screen-api/pairing", &[], json!({"name": "a", "key": own_key('a')}).to_string()).await;
        assert!(answer.status() == 429 && answer.headers().contains_key("retry-after"));
        assert_eq!(ask(&app, "lobby", &format!("{:064}", 3)).await.0, 200, "who waits already goes on waiting");
        let mut rows = database.connection().await;
        for at in 0..90 {
            let text = "insert into pairings (key_sha256, code, name, called_from, asked_ms, expires_ms) values ($1, $1, 'x', $1, 1, 9000000000000)";
            sqlx::query(text).bind(format!("other {at}")).execute(&mut rows).await.unwrap();
        }
        sqlx::query("update pairings set called_from = '10.0.0.1' where called_from = '127.0.0.1'")
            .execute(&mut rows)
            .await
            .unwrap();
        assert_eq!(ask(&app, "lobby", &own_key('b')).await.0, 429, "a hundred wait");
        assert_eq!(app.json("/api/pairings").await["pairings"].as_array().unwrap().len(), 100);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_screen_that_takes_the_place_of_another_keeps_what_it_shows() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let id = pair(&app, "lobby-1", &own_key('a')).await;
        let shown = json!({"items": [{"type": "card", "text": "Hello", "seconds": 9}]});
        assert_eq!(put(&app, &format!("/api/action-devices/{id}/content"), &shown).await.0, 204);
        let old = Device::connect(&app, &own_key('a'), json!(0)).await;

        let (_, told) = ask(&app, "lobby-1", &own_key('b')).await;
        let path = format!("/api/pairings/{}/accept", told["code"].as_str().unwrap());
        let answer = app.post(&path, &[], r#"{"groups": ["hall"]}"#).await;
        assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (201, json!({"id": id}).to_string()));
        old.socket.ended().await;
        assert_eq!(with_key(&app, "/screen-api/content", &own_key('a')).await.status(), 401, "the old key is no key");
        let now = content(&app, &own_key('b')).await;
        assert_eq!((&now["groups"], &now["tags"]), (&json!(["hall"]), &json!(["4k"])), "what is left out stays");
        assert_eq!(now["content"]["items"][0]["text"], "Hello");
        assert_eq!(app.json("/api/action-devices").await["devices"].as_array().unwrap().len(), 1);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_screen_does_not_take_the_place_of_a_program() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = device(&app, "robot", &[]).await;
        let (_, told) = ask(&app, "robot", &own_key('a')).await;
        let path = format!("/api/pairings/{}/accept", told["code"].as_str().unwrap());
        let answer = app.post(&path, &[], "{}").await;
        assert_eq!(answer.status(), 409);
        assert!(answer.text().await.unwrap().contains("no screen is named robot"));
        Device::connect(&app, &key, json!(0)).await;
        assert_eq!(app.post(&path, &[], r#"{"name":"screen"}"#).await.status(), 201, "it still waits");
        assert_eq!(content(&app, &own_key('a')).await["device"], "screen");
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_a_screen_is_told_why() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let long = "n".repeat(101);
        for (body, said) in [
            (json!({"name": "", "key": own_key('a')}), "name has 1 to 100"),
            (json!({"name": long, "key": own_key('a')}), "name has 1 to 100"),
            (json!({"name": "a\nb", "key": own_key('a')}), "name has 1 to 100"),
            (json!({"name": "a", "key": "0".repeat(31)}), "32 to 128 hexadecimal"),
            (json!({"name": "a", "key": "0".repeat(129)}), "32 to 128 hexadecimal"),
            (json!({"name": "a", "key": "g".repeat(64)}), "32 to 128 hexadecimal"),
            (json!({"name": "a"}), "key"),
            (json!("a"), "JSON object"),
        ] {
            let answer = app.post("/screen-api/pairing", &[], body.to_string()).await;
            let (status, text) = (answer.status().as_u16(), answer.text().await.unwrap());
            assert!(status == 400 && text.contains(said), "{body}: {status} {text}");
        }
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn who_guesses_keys_is_stopped() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        pair(&app, "lobby-1", &own_key('a')).await;
        for _ in 0..20 {
            assert_eq!(with_key(&app, "/screen-api/content", &own_key('f')).await.status(), 401);
        }
        let answer = with_key(&app, "/screen-api/content", &own_key('f')).await;
        assert!(answer.status() == 429 && answer.headers().contains_key("retry-after"));
        assert_eq!(with_key(&app, "/screen-api/content", &own_key('a')).await.status(), 200, "a good one is good");
        app.end().await;
    })
    .await;
}
