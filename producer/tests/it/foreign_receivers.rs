//! Deliveries of the accounts API, verified by code that is not ours: the README's receivers, and the libraries of Standard Webhooks.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
};

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};
use tokio::{io::AsyncWriteExt, process::Command};

use crate::support::{Database, endpoint::Call, stage::Stage, wire::User};

pub const EVENT_DATA: [&str; 4] = [
    r#"{"message":"hello world","items":[{"item1":1},{"item2":2}]}"#,
    r#"{"s":"zoë 😀","b":1e16,"a":[0.1,1e-5,100000.0],"c":"\u0000\u007f\"\\/\n"}"#,
    "[12345678901234567890123,-0.0,true,null]",
    r#""bare""#,
];

on_both! {
    async fn the_receiver_of_the_readme_in_python_takes_what_is_sent(database: Database) {
        for (user, call) in deliveries(database, &EVENT_DATA).await {
            verified(Command::new("python3").arg(script("readme.py")), &user, &call).await;
        }
    }

    async fn the_receiver_of_the_readme_in_ruby_takes_what_is_sent(database: Database) {
        for (user, call) in deliveries(database, &EVENT_DATA).await {
            verified(Command::new("ruby").arg(script("readme.rb")), &user, &call).await;
        }
    }

    async fn standard_webhooks_in_python_takes_what_is_sent(database: Database) {
        let python = root().join("target/python/bin/python");
        assert!(python.exists(), "standardwebhooks is missing: run `make bootstrap`");
        for (user, call) in deliveries(database, &EVENT_DATA[..2]).await {
            verified(Command::new(&python).arg(script("verify.py")), &user, &call).await;
        }
    }

    async fn standard_webhooks_in_javascript_takes_what_is_sent(database: Database) {
        assert!(script("node_modules").is_dir(), "the npm packages are missing: run `make bootstrap`");
        for (user, call) in deliveries(database, &EVENT_DATA[..2]).await {
            verified(Command::new("node").arg(script("verify.mjs")), &user, &call).await;
        }
    }
}

#[tokio::test]
async fn a_changed_body_is_taken_by_none_of_them() {
    let deliveries = deliveries(Database::sqlite(), &EVENT_DATA[..1]).await;
    let (user, mut call) = deliveries[0].clone();
    call.body = String::from_utf8_lossy(&call.body).replace("hello", "Hello").into();
    let python = root().join("target/python/bin/python");
    for command in [
        Command::new("python3").arg(script("readme.py")),
        Command::new("ruby").arg(script("readme.rb")),
        Command::new(python).arg(script("verify.py")),
        Command::new("node").arg(script("verify.mjs")),
    ] {
        assert_ne!(said(command, &user, &call).await, "ok\n");
    }
}

/// One delivery of each data, with the account that it went to.
async fn deliveries(database: Database, event_data: &[&str]) -> Vec<(User, Call)> {
    let stage = Stage::set(database).await;
    let owner = stage.join("owner", "/owner").await;
    let mut deliveries = Vec::new();
    for (number, data) in event_data.iter().enumerate() {
        let registration = stage.wire.register(&owner, &json!("foreign"), data).await;
        let user = stage.follower(&format!("f{number}"), &registration).await;
        stage.wire.trigger(&owner, &registration).await;
        let call = stage.endpoint.arrived("POST", &format!("/f{number}"), 1).await[0].clone();
        deliveries.push((user, call));
    }
    deliveries
}

async fn verified(command: &mut Command, user: &User, call: &Call) {
    assert_eq!(said(command, user, call).await, "ok\n", "{call:?}");
}

/// What the script prints of the delivery, which it reads as JSON: the keys, the headers and the body's text.
pub async fn said(command: &mut Command, user: &User, call: &Call) -> String {
    let headers: Map<String, Value> =
        call.headers.keys().map(|name| (name.to_string(), call.text(name.as_str()).into())).collect();
    let secret = format!("whsec_{}", BASE64_STANDARD.encode(&user.secret_key));
    let body = std::str::from_utf8(&call.body).unwrap();
    let input = json!({ "secret_key": user.secret_key, "secret": secret, "headers": headers, "body": body });
    piped(command, input.to_string().as_bytes()).await
}

async fn piped(command: &mut Command, input: &[u8]) -> String {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}; run `make bootstrap`"));
    child.stdin.take().unwrap().write_all(input).await.unwrap();
    String::from_utf8(child.wait_with_output().await.unwrap().stdout).unwrap()
}

pub fn script(name: &str) -> PathBuf {
    root().join("producer/tests/foreign").join(name)
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
