//! `producer produce`, as a program of its own.

use std::{
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tokio::process::Command;

use crate::support::{Answer, Database, Producer, Receiver, eventually};

fn command(database: &Database, receiver: &str, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_producer"));
    command.args(args).env_clear().current_dir(std::env::temp_dir()).stdin(Stdio::null());
    command.env("DATABASE_URL", &database.url).env("WEBHOOK_RECEIVER_URL", receiver).env("RETRY_SCHEDULE", "0,20ms");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
    command
}

async fn run(database: &Database, receiver: &str, args: &[&str]) -> (Output, String) {
    let output = command(database, receiver, args).output().await.unwrap();
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    (output, text)
}

#[tokio::test]
async fn it_prints_a_line_per_task_and_a_summary() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let (output, text) = run(&database, &receiver.url(), &["produce", "--count", "5", "--wait", "0s"]).await;
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 6, "{text}");
    for hook in receiver.hooks() {
        let task = hook.task();
        let (n, owner) = (task["id"].as_u64().unwrap() + 1, task["owner"].as_str().unwrap());
        let line = format!("{n} out of 5 — 200 — {owner}, {}", task["priority"].as_str().unwrap());
        assert!(lines.contains(&line.as_str()), "{line} in {text}");
    }
    assert!(lines[5].starts_with("5 of 5 delivered, 0 failed"), "{text}");
}

#[tokio::test]
async fn json_is_for_programs() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let args = ["produce", "--count", "3", "--wait", "0", "--seed", "7", "--json"];
    let (output, text) = run(&database, &receiver.url(), &args).await;
    assert!(output.status.success(), "{output:?}");
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        lines.iter().map(|line| line["seq"].clone()).collect::<Vec<_>>(),
        [1.into(), 2.into(), 3.into(), Value::Null]
    );
    assert_eq!((&lines[3]["summary"]["delivered"], &lines[3]["summary"]["seed"]), (&3.into(), &7.into()));
}

#[tokio::test]
async fn it_fails_when_a_task_was_not_delivered_and_says_why() {
    let (database, address) = (Database::sqlite(), Receiver::nobody().await);
    let (output, text) = run(&database, &format!("http://{address}/"), &["produce", "--count", "1"]).await;
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(text.contains("1 out of 1 — refused — "), "{text}");
    assert!(text.contains(&format!("nothing listens on {address}")), "{text}");
    assert!(text.contains("0 of 1 delivered, 1 failed"), "{text}");
}

#[tokio::test]
async fn interrupting_leaves_the_rest_in_the_queue_for_the_service() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let child = command(&database, &receiver.url(), &["produce", "--count", "20", "--wait", "5s"]).spawn().unwrap();
    receiver.arrived(1).await;
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(text.contains("stay in the queue"), "{text}");

    let producer = Producer::start(&database, &receiver).await;
    let batches = producer.get("/api/batches").await.json;
    assert_eq!((&batches["batches"][0]["total"], &batches["batches"][0]["state"]), (&20.into(), &"running".into()));
}

#[tokio::test]
async fn what_was_under_way_when_it_was_interrupted_is_in_the_summary() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(200).after(Duration::from_secs(1)));
    let child = command(&database, &receiver.url(), &["produce", "--count", "2", "--wait", "0"]).spawn().unwrap();
    receiver.arrived(2).await;
    let pid = child.id().unwrap().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().await.unwrap().success());
    let output = child.wait_with_output().await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && text.contains("2 of 2 delivered"), "{text}");
}

#[tokio::test]
async fn a_service_on_the_same_database_delivers_along() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(202));
    let producer = Producer::start(&database, &receiver).await;
    let (output, _) = run(&database, &receiver.url(), &["produce", "--count", "50", "--wait", "0"]).await;
    assert!(output.status.success(), "{output:?}");
    let batches = producer.get("/api/batches").await.json;
    assert_eq!(batches["batches"][0]["delivered"], 50);
    eventually("50 requests", || async { (receiver.hooks().len() == 50).then_some(()) }).await;
}

#[tokio::test]
async fn a_service_that_starts_meanwhile_does_not_send_again_what_is_under_way() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    receiver.always(Answer::status(200).after(Duration::from_secs(2)));
    let child = command(&database, &receiver.url(), &["produce", "--count", "3", "--wait", "0"]).spawn().unwrap();
    receiver.arrived(3).await;
    let producer = Producer::start(&database, &receiver).await;
    let output = child.wait_with_output().await.unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(receiver.hooks().len(), 3);
    producer.stop().await;
}

#[tokio::test]
async fn wrong_settings_are_named() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    for (args, expected) in [
        (&["produce", "--count", "0"][..], "--count"),
        (&["produce", "--wait", "soon"], "--wait"),
        (&["produce", "--wait", "31d"], "--wait"),
        (&["--probe-interval", "1e18"], "--probe-interval"),
        (&["--wait-time", "31d"], "--wait-time"),
        (&["produce", "--to", "http://10.1.1.1/"], "ALLOW_TARGETS"),
        (&["produce", "--to", "http://user:secret@localhost/"], "no user name or password"),
        (&["--webhook-receiver-url", "http://user:secret@localhost/"], "WEBHOOK_RECEIVER_URL"),
        (&["--min-nbr-tasks", "9", "--max-nbr-tasks", "3", "--listen", "127.0.0.1:0"], "MIN_NBR_TASKS"),
        (&["--retry-schedule", "0,later"], "--retry-schedule"),
        (&["--retry-schedule", "0,31d"], "--retry-schedule"),
    ] {
        let (output, _) = run(&database, &receiver.url(), args).await;
        assert!(!output.status.success());
        let told = String::from_utf8(output.stderr).unwrap();
        assert!(told.contains(expected), "{args:?}: {told}");
    }
}

#[tokio::test]
async fn help_names_every_setting() {
    let (database, receiver) = (Database::sqlite(), Receiver::start().await);
    let (_, text) = run(&database, &receiver.url(), &["--help"]).await;
    for name in [
        "LISTEN",
        "DATABASE_URL",
        "WEBHOOK_RECEIVER_URL",
        "WAIT_TIME",
        "SEED",
        "BROKER_URL",
        "ALLOW_TARGETS",
        "RETRY_SCHEDULE",
    ] {
        assert!(text.contains(name), "{name}");
    }
}
