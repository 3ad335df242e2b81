//! Both APIs as they describe themselves: Schemathesis makes requests of `/openapi.json`, good ones and bad ones, and holds every answer against it.

use std::{process::Output, time::Duration};

use serde_json::json;
use tokio::{process::Command, time::timeout};

use crate::support::{
    databases::{Database, server},
    eventually, http,
    process::root,
    stack::Service,
};

/// So that a failure can be run again.
const SEED: &str = "20261130";
/// Made-up requests for each operation, beside those that every description calls for.
const EXAMPLES: &str = "12";
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,response_headers_conformance";
/// For each of both programs, with room for a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

#[tokio::test]
async fn the_consumers_api_answers_as_it_is_described() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::create(&server(), "consumer").await);
    let mut consumer = Service::start("consumer", folder.path(), &[("DATABASE_URL", database.url.clone())]);
    let client = http::client();
    consumer.ready(&client).await;
    let made = http::post_json(
        &client,
        &format!("{}/api/keys", consumer.url),
        &json!({"name": "schemathesis", "rate_per_minute": 6000}),
    )
    .await;
    let made: serde_json::Value = serde_json::from_str(&made.text().await.unwrap()).unwrap();
    http::post_json(
        &client,
        &format!("{}/consumetasks/hall", consumer.url),
        &json!({"dev": "temp", "circuit": "1", "value": 21}),
    )
    .await;
    let key = format!("x-webhook-apikey: {}", made["key"].as_str().unwrap());
    hold(&consumer, &["-H", &key]).await;
    consumer.process.assert_alive();
}

#[tokio::test]
async fn the_producers_api_answers_as_it_is_described() {
    let (folder, database) = (tempfile::tempdir().unwrap(), Database::create(&server(), "producer").await);
    let settings = [
        ("DATABASE_URL", &*database.url),
        ("MAX_NBR_TASKS", "20"),
        ("MAX_BATCH", "20"),
        ("WAIT_TIME", "0"),
        ("RETRY_SCHEDULE", "0"),
    ];
    let settings = settings.map(|(name, value)| (name, value.to_owned()));
    let mut producer = Service::start("producer", folder.path(), &settings);
    producer.ready(&http::client()).await;
    let key = eventually("the administrator's keys are told", PATIENCE, async || {
        let said = producer.process.said();
        Some(said.split_once("'api_key': '")?.1.split('\'').next()?.to_owned())
    });
    let key = format!("api-key: {}", key.await);
    // What follows a batch to its end is no answer to wait for.
    let headers = [
        "-H",
        "username: admin",
        "-H",
        &key,
        "-H",
        "content-type: application/json",
        "--exclude-path",
        "/batches/{id}/events",
    ];
    hold(&producer, &headers).await;
    producer.process.assert_alive();
}

async fn hold(service: &Service, more: &[&str]) {
    let schemathesis = root().join("target/python/bin/schemathesis");
    let python = root().join("target/python/bin/python");
    assert!(schemathesis.exists(), "Schemathesis is missing: run `make bootstrap`");
    let mut command = Command::new(python);
    command.args([
        "-m",
        "schemathesis.cli",
        "run",
        &format!("{}/openapi.json", service.url),
        "--seed",
        SEED,
        "-n",
        EXAMPLES,
        "-c",
        CHECKS,
    ]);
    command.args(["--phases", "examples,coverage,fuzzing,stateful"]);
    command.args(["--no-shrink", "--continue-on-failure", "--request-timeout", "20", "--warnings", "off"]).args(more);
    // It keeps what it found in its working directory.
    let folder = tempfile::tempdir().unwrap();
    let running = command.current_dir(folder.path()).env("NO_COLOR", "1").kill_on_drop(true).output();
    let Output { status, stdout, stderr } = timeout(PATIENCE, running).await.expect("it ends by itself").unwrap();
    let (said, wrong) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    assert!(status.success(), "{said}\n{wrong}");
    assert!(said.contains("Test cases:"), "{said}\n{wrong}");
}
