//! Actions: who may call, whom it reaches, and what became of it on each device.

mod calls;
mod datasources;
mod emergencies;
mod firing;
mod keys;
mod kills;
mod nodes;
mod outputs;
mod pages;
mod player;
pub mod program;
mod refusals;
mod screens;
mod tracking;

use serde_json::{Value, json};

use crate::support::{TestApp, eventually, socket::Socket};

const CALL: &str = "/public-api/integration/webhooks";

/// A device as our tests play it.
struct Device {
    socket: Socket,
    /// What it was told when it connected.
    state: Value,
}

impl Device {
    /// Connects; `last` is the last command that it did, null for one that does not know.
    async fn connect(app: &TestApp, key: &str, last: Value) -> Self {
        let auth = json!({"key": key, "last": last});
        let mut socket = Socket::connect_as(app.address, "/devices", &auth).await.unwrap();
        let state = socket.event("state").await.remove(0);
        Self { socket, state }
    }

    async fn command(&mut self) -> Value {
        self.socket.event("command").await.remove(0)
    }

    /// Says `ack`, `done` or `failed` of a command.
    async fn says(&mut self, word: &str, command: &Value) -> Value {
        self.socket.ask_and_keep(json!([word, {"id": command["id"], "text": format!("{word} it")}])).await
    }

    /// Takes the next command and does it.
    async fn does(&mut self) -> Value {
        let command = self.command().await;
        assert_eq!(self.says("ack", &command).await, json!({"execute": true, "state": "acknowledged"}));
        assert_eq!(self.says("done", &command).await["state"], "done");
        command
    }
}

/// Makes something by the administrator's API; gives the answer.
async fn make(app: &TestApp, path: &str, what: Value) -> Value {
    let answer = app.post(path, &[], what.to_string()).await;
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert_eq!(status, 201, "{text}");
    serde_json::from_str(&text).unwrap()
}

/// A key for everything.
async fn key(app: &TestApp) -> String {
    made_key(app, json!({"name": "alarm system", "rate_per_minute": 6000})).await
}

async fn made_key(app: &TestApp, what: Value) -> String {
    make(app, "/api/keys", what).await["key"].as_str().unwrap().to_owned()
}

/// A device's key.
async fn device(app: &TestApp, name: &str, groups: &[&str]) -> String {
    let made = make(app, "/api/action-devices", json!({"name": name, "groups": groups, "tags": ["all-of-them"]})).await;
    made["key"].as_str().unwrap().to_owned()
}

/// An action with this event id: a toast for everybody, but for what is given.
async fn action(app: &TestApp, event_id: &str, but: Value) -> Value {
    let mut what = json!({"name": event_id, "event_id": event_id, "function": "show_toast", "parameters": {"text": "hi"}, "target": "all"});
    for (name, value) in but.as_object().unwrap() {
        what[name] = value.clone();
    }
    make(app, "/api/actions", what).await
}

/// Calls by `POST`; the status and the answer.
async fn call(app: &TestApp, key: &str, body: Value) -> (u16, Value) {
    let answer =
        app.post(CALL, &[("x-webhook-apikey", key), ("content-type", "application/json")], body.to_string()).await;
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

/// Calls an event id, which has to succeed; gives the execution's id.
async fn run(app: &TestApp, key: &str, event_id: &str) -> String {
    let (status, answer) = call(app, key, json!({"event_id": event_id})).await;
    assert_eq!((status, &answer["message"]), (200, &json!("success")), "{answer}");
    answer["execution_id"].as_str().unwrap().to_owned()
}

/// The commands of an execution, as the public API tells them.
async fn outcome(app: &TestApp, key: &str, execution: &str) -> Vec<Value> {
    let path = format!("/public-api/integration/executions/{execution}?api_key={key}");
    app.json(&path).await["commands"].as_array().unwrap().clone()
}

/// Waits until every command of the execution is in this state.
async fn all_are(app: &TestApp, key: &str, execution: &str, state: &str) -> Vec<Value> {
    eventually(state, async || {
        let commands = outcome(app, key, execution).await;
        commands.iter().all(|command| command["state"] == state).then_some(commands)
    })
    .await
}
