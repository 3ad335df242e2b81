//! Programs that know nothing of ours: socket.io clients of three kinds, and the tutorial's own programs.

use std::{path::PathBuf, time::Duration};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::peer::Peer;
use crate::support::stack::{Mode, Stack, task};
use crate::support::{PATIENCE, eventually, http, process::root};

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn socket_io_client_4_receives_msg() {
    let stack = Stack::start(Mode::Embedded).await;
    let url = stack.consumer.url.clone();
    receives_msg(&stack, Peer::node("tutorial_page.mjs", &["socket.io-client", &url])).await;
}

#[tokio::test]
async fn socket_io_client_3_receives_msg() {
    let stack = Stack::start(Mode::Embedded).await;
    let url = stack.consumer.url.clone();
    receives_msg(&stack, Peer::node("tutorial_page.mjs", &["socket.io-client-3", &url])).await;
}

#[tokio::test]
async fn python_socketio_receives_msg() {
    let stack = Stack::start(Mode::Embedded).await;
    let url = stack.consumer.url.clone();
    receives_msg(&stack, Peer::python("listener.py", &[&url])).await;
}

/// The client says `joined`, and from then on prints the single argument of each `msg`, a string, as a line.
async fn receives_msg(stack: &Stack, mut client: Peer) {
    assert_eq!(client.line(SOON).await.as_deref(), Some("joined"));
    for id in 0..3 {
        let sent = task("5f0c3c3a-6f0e-4e33-9a5e-0f6f3f5c8a11", id);
        let answer = http::post_json(&stack.client, &format!("{}/consumetasks", stack.consumer.url), &sent).await;
        assert_eq!(answer.status(), 200);
        let line = client.line(SOON).await.expect("the client lives");
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), sent);
    }
    client.succeed(SOON).await;
}

#[tokio::test]
async fn the_tutorials_generator_is_answered_200_ok() {
    let stack = Stack::start(Mode::Embedded).await;
    let mut generator = Peer::python("generator.py", &[&format!("{}/consumetasks", stack.consumer.url), "5"]);
    for id in 0..5 {
        assert_eq!(generator.line(SOON).await, Some(format!("{id} out of 5 -- Status 200 -- OK")));
    }
    generator.succeed(SOON).await;
    assert_eq!(stack.total().await, Some(5));
}

#[tokio::test]
async fn the_tutorials_receiver_is_a_receiver_of_ours() {
    let mut stack = Stack::start(Mode::Embedded).await;
    let mut receiver = Peer::python("receiver.py", &[]);
    let port = receiver.line(SOON).await.expect("the receiver says its port");
    let to = format!("http://localhost:{port}/consumetasks");

    let batch = stack.produce(&json!({"count": 7, "wait": 0, "to": to})).await;
    let ended = stack.ended(&batch, PATIENCE).await;
    assert_eq!(ended["delivered"], 7, "{ended}");

    let mut ids = Vec::new();
    for _ in 0..7 {
        let line = receiver.line(SOON).await.expect("the receiver prints each task");
        let got: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(got["batchid"], batch.as_str());
        ids.push(got["id"].as_u64().unwrap());
    }
    ids.sort_unstable();
    assert_eq!(ids, (0..7).collect::<Vec<_>>());
}

/// The example of docs/actions.md in this language, as it stands there, as a file of the stack.
fn example(stack: &Stack, language: &str, name: &str) -> PathBuf {
    let text = std::fs::read_to_string(root().join("docs/actions.md")).unwrap();
    let example = text.split(&format!("```{language}\n")).nth(1).and_then(|rest| rest.split("```").next());
    let script = stack.folder.path().join(name);
    std::fs::write(&script, example.expect("it is there")).unwrap();
    script
}

/// An action, and the key that may call it.
async fn toast(stack: &Stack) -> String {
    let toast =
        json!({"name": "t", "event_id": "t", "function": "show_toast", "parameters": {"text": "hi"}, "target": "all"});
    made(stack, "/api/actions", toast).await;
    made(stack, "/api/keys", json!({"name": "alarm"})).await["key"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn the_device_in_the_documentation_obeys() {
    let stack = Stack::start(Mode::Embedded).await;
    let url = &stack.consumer.url;
    let (script, memory) = (example(&stack, "python", "device.py"), stack.folder.path().join("last"));
    let lobby = made(&stack, "/api/action-devices", json!({"name": "lobby"})).await;
    let key = toast(&stack).await;
    let mut device = Peer::python_at(&script, &[url, lobby["key"].as_str().unwrap(), memory.to_str().unwrap()]);
    assert_eq!(device.line(SOON).await.as_deref(), Some("state None"));
    let call = format!("{url}/public-api/integration/webhooks?eventId=t&apiKey={key}");
    let called = http::json(&stack.client, &call).await;
    assert_eq!(device.line(SOON).await.as_deref(), Some("show_toast {'text': 'hi'}"));
    let execution = format!("{url}/api/executions/{}", called["execution_id"].as_str().unwrap());
    eventually("it says that it did it", PATIENCE, async || {
        (http::json(&stack.client, &execution).await["states"] == json!({"done": 1})).then_some(())
    })
    .await;
}

#[tokio::test]
async fn the_program_in_the_documentation_calls_and_throws_what_to_change() {
    let stack = Stack::start(Mode::Embedded).await;
    let script = example(&stack, "js", "call.mjs");
    made(&stack, "/api/action-devices", json!({"name": "lobby"})).await;
    let key = toast(&stack).await;
    let call = async |key: &str, event_id: &str| {
        let arguments = [stack.consumer.url.as_str(), key, event_id];
        Command::new("node").arg(&script).args(arguments).output().await.unwrap()
    };
    let good = call(&key, "t").await;
    let printed = String::from_utf8_lossy(&good.stdout);
    assert!(good.status.success() && printed.contains("message: 'success'"), "{printed}");
    for (key, event_id, words) in [(key.as_str(), "nothing", "No action has the event id"), ("wrong", "t", "API key")] {
        let bad = call(key, event_id).await;
        let thrown = String::from_utf8_lossy(&bad.stderr);
        assert!(!bad.status.success() && thrown.contains("Error: ") && thrown.contains(words), "{thrown}");
    }
}

async fn made(stack: &Stack, path: &str, what: Value) -> Value {
    let answer = http::post_json(&stack.client, &format!("{}{path}", stack.consumer.url), &what).await;
    assert_eq!(answer.status(), 201);
    serde_json::from_str(&answer.text().await.unwrap()).unwrap()
}
