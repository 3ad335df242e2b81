//! The functions that receivers paste: each believes what is really sent, and nothing else.

use std::{path::Path, process::Stdio};

use common::{signature, time::now_ms};
use tempfile::TempDir;
use tokio::process::Command;

use crate::{
    foreign_receivers::{EVENT_DATA, root, said, script},
    support::{
        Database,
        endpoint::Call,
        stage::Stage,
        wire::{User, post},
    },
};

#[path = "../../snippets/verify.rs"]
mod verify;

/// Seconds that a receiver's clock may be off.
const TOLERANCE_S: i64 = 300;
/// Seconds that a test may take from signing to verifying.
const SLACK_S: i64 = 30;

#[tokio::test]
async fn the_snippet_in_python_believes_what_is_sent_and_nothing_else() {
    judged(async |user, call| believed(Command::new("python3").arg(script("snippet.py")), user, call).await).await;
}

#[tokio::test]
async fn the_snippet_in_node_believes_what_is_sent_and_nothing_else() {
    judged(async |user, call| believed(Command::new("node").arg(script("snippet.mjs")), user, call).await).await;
}

#[tokio::test]
async fn the_snippet_in_ruby_believes_what_is_sent_and_nothing_else() {
    judged(async |user, call| believed(Command::new("ruby").arg(script("snippet.rb")), user, call).await).await;
}

#[tokio::test]
async fn the_snippet_in_go_believes_what_is_sent_and_nothing_else() {
    let folder = compiled().await;
    let program = folder.path().join("receiver");
    judged(async |user, call| believed(&mut Command::new(&program), user, call).await).await;
}

#[tokio::test]
async fn the_snippet_in_rust_believes_what_is_sent_and_nothing_else() {
    judged(async |user, call| {
        let [id, timestamp, signatures] = ["id", "timestamp", "signature"].map(|name| call.text(&header(name)));
        verify::verify_webhook(&user.secret_key, id, timestamp, signatures, &call.body)
    })
    .await;
}

async fn judged(believes: impl AsyncFn(&User, &Call) -> bool) {
    let (user, rotated, calls) = deliveries().await;
    for call in &calls {
        assert!(believes(&user, call).await, "{call:?}");
    }
    let [first, .., last] = &calls[..] else { panic!("two deliveries at least: {calls:?}") };
    assert!(believes(&rotated, last).await, "signed with the new key, too: {last:?}");
    assert!(!believes(&rotated, first).await, "another key");
    for (what, changed) in changed(&user, first) {
        assert!(!believes(&user, &changed).await, "{what}: {changed:?}");
    }
    for age_s in [SLACK_S - TOLERANCE_S, TOLERANCE_S - SLACK_S] {
        let call = signed_ago(&user, first, age_s);
        assert!(believes(&user, &call).await, "signed {age_s} s ago: {call:?}");
    }
}

/// What arrives at an account's endpoint, the last after its key was rotated; the account with its first key, and with its second.
async fn deliveries() -> (User, User, Vec<Call>) {
    let stage = Stage::set(Database::sqlite()).await;
    let user = stage.join("sarah", "/sarah").await;
    for data in EVENT_DATA {
        let registration = stage.wire.register(&user, &"order.paid".into(), data).await;
        stage.wire.subscribe(&user, &registration).await;
        stage.wire.trigger(&user, &registration).await;
    }
    stage.endpoint.arrived("POST", "/sarah", EVENT_DATA.len()).await;
    let rotation = stage.wire.must(&post("/v1/account/rotate/secretkey").by(&user)).await;
    let rotated = User { secret_key: rotation["secret_key"].as_str().unwrap().to_owned(), ..user.clone() };
    let registration = stage.wire.register(&user, &"order.paid".into(), "{}").await;
    stage.wire.subscribe(&user, &registration).await;
    stage.wire.trigger(&user, &registration).await;
    let calls = stage.endpoint.arrived("POST", "/sarah", EVENT_DATA.len() + 1).await;
    (user, rotated, calls)
}

/// The genuine delivery, each time with one thing that is not.
fn changed(user: &User, call: &Call) -> Vec<(&'static str, Call)> {
    let body = [&call.body[..], b" "].concat();
    let mut changed = vec![
        ("another body", Call { body: body.into(), ..call.clone() }),
        ("another id", with(call, "id", "msg_other")),
        ("another signature", with(call, "signature", "v1,bm90IHRoaXMgb25l")),
        ("no time", with(call, "timestamp", "now")),
        ("too old", signed_ago(user, call, TOLERANCE_S + 1)),
        ("from the future", signed_ago(user, call, -TOLERANCE_S - SLACK_S)),
    ];
    for (what, name) in [("without id", "id"), ("without time", "timestamp"), ("without signature", "signature")] {
        let mut bare = call.clone();
        bare.headers.remove(header(name));
        changed.push((what, bare));
    }
    changed
}

/// The delivery as it would have been sent so long ago.
fn signed_ago(user: &User, call: &Call, age_s: i64) -> Call {
    let timestamp_s = now_ms() / 1000 - age_s;
    let signature = signature::sign(user.secret_key.as_bytes(), call.text(&header("id")), timestamp_s, &call.body);
    with(&with(call, "timestamp", &timestamp_s.to_string()), "signature", &signature)
}

fn with(call: &Call, name: &str, value: &str) -> Call {
    let mut call = call.clone();
    call.headers.insert(http::HeaderName::try_from(header(name)).unwrap(), value.parse().unwrap());
    call
}

fn header(name: &str) -> String {
    format!("webhook-{name}")
}

/// What the program says of the delivery; an exception is no answer.
async fn believed(command: &mut Command, user: &User, call: &Call) -> bool {
    match said(command, user, call).await.as_str() {
        "ok\n" => true,
        "refused\n" => false,
        other => panic!("{command:?} says {other:?} of {call:?}"),
    }
}

/// A folder with the program `receiver`, made of the Go snippet and what shows it deliveries.
async fn compiled() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let sources = [root().join("producer/snippets/verify.go"), script("snippet.go")];
    for source in &sources {
        std::fs::copy(source, folder.path().join(source.file_name().unwrap())).unwrap();
    }
    let output = go(folder.path()).output().await;
    let output = output.unwrap_or_else(|error| panic!("go: {error}; run `make bootstrap`"));
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    folder
}

/// Compiles with what is on this machine.
fn go(folder: &Path) -> Command {
    let mut command = Command::new("go");
    command.args(["build", "-o", "receiver", "verify.go", "snippet.go"]).current_dir(folder).stdin(Stdio::null());
    command.env("GOCACHE", root().join("target/go")).env("GOFLAGS", "-mod=mod");
    command.env("GOPROXY", "off").env("GOTOOLCHAIN", "local").kill_on_drop(true);
    command
}
