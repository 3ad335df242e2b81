//! Commands for a device that is away are not carried out an hour late because the clock was set back meanwhile, and the key goes on to be good.

use serde_json::{Value, json};

use super::STAGE;
use super::fake_clock::FakeClock;
use crate::support::stack::{Mode, Settings, Stack};
use crate::support::{eventually, http};

const HOUR_S: i64 = 3600;

#[tokio::test]
async fn commands_expire_in_their_time_although_the_clock_is_set_back_on_embedded_defaults() {
    expire_in_their_time(Mode::Embedded).await;
}

#[tokio::test]
async fn commands_expire_in_their_time_although_the_clock_is_set_back_on_postgres_and_redis() {
    expire_in_their_time(Mode::PostgresAndRedis).await;
}

async fn expire_in_their_time(mode: Mode) {
    let clock = FakeClock::start();
    let stack = Stack::start_with(mode, Settings { consumer: clock.environment(), ..Settings::default() }).await;
    let key = prepare(&stack).await;
    for (round, ahead_s) in [-HOUR_S, 0, -HOUR_S].into_iter().enumerate() {
        let execution = call(&stack, &key).await;
        clock.set(ahead_s);
        // It is looked at once a second: what is set back before that was never set.
        eventually("the step is noticed", STAGE, async || {
            let said = stack.consumer.process.said();
            (said.matches("the clock of this machine was set").count() > round).then_some(())
        })
        .await;
        let url = format!("{}/public-api/integration/executions/{execution}", stack.consumer.url);
        eventually("the command expires", STAGE, async || {
            let asked = stack.client.get(&url).header("x-webhook-apikey", &key).send().await.ok()?;
            asked.text().await.ok()?.contains("expired").then_some(())
        })
        .await;
    }
}

/// An action for a device that is never there; gives the key that calls it.
async fn prepare(stack: &Stack) -> String {
    let created = async |what: &str, body: Value| {
        let answer = http::post_json(&stack.client, &format!("{}/api/{what}", stack.consumer.url), &body).await;
        assert!(answer.status().is_success(), "{what}: {}", answer.status());
        serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()
    };
    created("action-devices", json!({"name": "away"})).await;
    let action = json!({"name": "Wake", "event_id": "wake", "function": "wake", "target": "all", "ttl_ms": 5000});
    created("actions", action).await;
    let key = created("keys", json!({"name": "clock", "event_ids": ["wake"], "rate_per_minute": 60})).await;
    key["key"].as_str().expect("a key is shown once").to_owned()
}

async fn call(stack: &Stack, key: &str) -> String {
    let url = format!("{}/public-api/integration/webhooks", stack.consumer.url);
    let request = stack.client.post(url).header("x-webhook-apikey", key).body(r#"{"event_id": "wake"}"#);
    let answer: Value = serde_json::from_str(&request.send().await.unwrap().text().await.unwrap()).unwrap();
    answer["execution_id"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}
