//! Emergencies outlast connections: whoever comes is told the last word that means it.

use serde_json::json;

use super::{Device, action, all_are, device, key, run};
use crate::support::{TestApp, eventually, on_both};

#[tokio::test]
async fn an_emergency_waits_for_who_is_away_until_it_ends() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let (here, away) = (device(&app, "here", &["south"]).await, device(&app, "away", &[]).await);
        let evacuate = json!({"function": "enable_emergency", "parameters": {"text": "Leave now"}, "ttl_ms": 1});
        action(&app, "evacuate", evacuate).await;
        action(&app, "over", json!({"function": "disable_emergency", "parameters": {}})).await;
        action(
            &app,
            "south is safe",
            json!({"function": "disable_emergency", "parameters": {}, "target": {"groups": ["south"]}}),
        )
        .await;
        let mut here_now = Device::connect(&app, &here, json!(null)).await;
        assert_eq!(here_now.state["emergency"], json!(null));
        let execution = run(&app, &key, "evacuate").await;
        let command = here_now.does().await;
        assert_eq!((&command["parameters"]["text"], &command["expires_at"]), (&json!("Leave now"), &json!(null)));

        let late = device(&app, "late", &[]).await;
        let starts = Device::connect(&app, &late, json!(null)).await;
        assert_eq!(starts.state["emergency"]["text"], "Leave now", "it did not exist when it began");

        run(&app, &key, "south is safe").await;
        assert_eq!(here_now.does().await["function"], "disable_emergency");
        drop(here_now);
        let here_now = Device::connect(&app, &here, json!(null)).await;
        assert_eq!(here_now.state["emergency"], json!(null), "the last word that means it");
        let mut back = Device::connect(&app, &away, json!(null)).await;
        assert_eq!(back.state["emergency"]["text"], "Leave now");
        assert_eq!(back.does().await["function"], "enable_emergency");
        all_are(&app, &key, &execution, "done").await;
        drop(back);

        // Who is away from its begin to its end is not told of it.
        let again = run(&app, &key, "evacuate").await;
        run(&app, &key, "over").await;
        let mut back = Device::connect(&app, &away, json!(null)).await;
        assert_eq!(back.state["emergency"], json!(null));
        assert_eq!(back.does().await["function"], "disable_emergency");
        let told = super::outcome(&app, &key, &again).await;
        let away = told.iter().find(|command| command["device"] == "away").unwrap();
        assert_eq!((&away["state"], &away["text"]), (&json!("expired"), &json!("the emergency ended first")));
        // The answer does not wait for the log.
        eventually("each emergency is Critical in the log", async || {
            let listed = app.json("/api/events?priority=Critical&source=actions").await;
            (listed["events"].as_array().unwrap().len() == 2).then_some(())
        })
        .await;
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn an_emergency_with_a_time_says_when_it_ends() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let screen = device(&app, "lobby", &[]).await;
        let parameters = json!({"text": "Leave now", "seconds": 600});
        action(&app, "evacuate", json!({"function": "enable_emergency", "parameters": parameters})).await;
        run(&app, &key, "evacuate").await;
        let mut screen = Device::connect(&app, &screen, json!(null)).await;
        let command = screen.does().await;
        assert_eq!(command["parameters"]["until"], command["expires_at"]);
        assert_eq!(screen.state["emergency"], command["parameters"]);
        app.end().await;
    })
    .await;
}

#[tokio::test]
async fn a_short_emergency_does_not_end_a_longer_one() {
    on_both(async |database| {
        let app = TestApp::start(&database, &[]).await;
        let key = key(&app).await;
        let (south, north) = (device(&app, "south-1", &["south"]).await, device(&app, "north-1", &[]).await);
        let fire = json!({"function": "enable_emergency", "parameters": {"text": "Fire"}});
        action(&app, "fire", fire).await;
        let storm = json!({"text": "Storm", "seconds": 1});
        action(
            &app,
            "storm",
            json!({"function": "enable_emergency", "parameters": storm, "target": {"groups": ["south"]}}),
        )
        .await;
        run(&app, &key, "fire").await;
        run(&app, &key, "storm").await;
        let state = async |key: &str| Device::connect(&app, key, json!(null)).await.state["emergency"]["text"].clone();
        assert_eq!((state(&south).await, state(&north).await), (json!("Storm"), json!("Fire")));
        eventually("the storm is over, and the fire is not", async || (state(&south).await == "Fire").then_some(()))
            .await;
        app.end().await;
    })
    .await;
}
