//! docs/api.md, run: every example of it is answered as it says, and no operation is without one.

use std::{collections::HashMap, process::Stdio, time::Duration};

use serde_json::Value;
use tokio::process::Command;

use crate::{
    foreign_receivers::root,
    support::{Database, PATIENCE, endpoint::Say, stage::Stage},
};

/// Members whose values differ from run to run, beside the abbreviated ones.
///
/// What is put in the queue may have been tried by the time that the answer is made.
const VARYING: [&str; 6] = ["epoch", "duration_ms", "in_flight", "next_attempt_at", "failed_count", "attempts_made"];

/// A command and the answer that the document gives.
struct Example {
    command: String,
    answer: String,
}

/// What the braces stand for.
type Names = HashMap<String, String>;

#[tokio::test]
async fn every_example_of_the_api_document_is_answered_as_it_says() {
    let hour = Duration::from_hours(1);
    let stage =
        Stage::with(Database::sqlite(), |settings| producer::config::Settings { default_retry: hour, ..settings })
            .await;
    stage.endpoint.script("POST", "/broken", Say::status(500));
    let mut names = Names::from([("admin_key".into(), stage.admin.api_key.clone())]);
    let (headers, examples) = read();
    for example in &examples {
        let place = |text: &str| placed(text, &stage);
        let answer = serde_json::from_str(&place(&example.answer)).unwrap();
        answered(&place(&format!("{headers}\n{}", example.command)), &answer, &mut names).await;
    }
    let without = without_example(&stage.producer.get("/openapi.json").await.json, &examples);
    assert!(without.is_empty(), "docs/api.md has no example of {without:?}");
}

fn placed(text: &str, stage: &Stage) -> String {
    text.replace("localhost:5000", &stage.producer.address.to_string())
        .replace("http://127.0.0.1:9090", &stage.endpoint.url(""))
}

/// The words for the headers, and the examples; any block that is neither is an error.
fn read() -> (String, Vec<Example>) {
    let text = std::fs::read_to_string(root().join("docs/api.md")).unwrap();
    let mut blocks = text.split("\n```").skip(1).step_by(2);
    let headers = blocks.next().and_then(|block| block.strip_prefix("sh\n")).expect("the first block is headers");
    let mut examples = Vec::new();
    while let Some(block) = blocks.next() {
        let command = block.strip_prefix("sh\n").filter(|command| command.matches("curl ").count() == 1);
        let command = command.unwrap_or_else(|| panic!("not one curl command, so it is not run: {block}"));
        let answer = blocks.next().and_then(|block| block.strip_prefix("json\n"));
        let answer = answer.unwrap_or_else(|| panic!("no answer follows: {command}")).to_owned();
        examples.push(Example { command: command.to_owned(), answer });
    }
    (headers.to_owned(), examples)
}

/// Runs the command; one that only looks is run until it sees what the document says.
async fn answered(script: &str, expected: &Value, names: &mut Names) {
    let script =
        names.iter().fold(script.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value));
    let only_looks = !script.contains("curl -X");
    let script = script.replace("curl ", "curl -sS -w '\\n%{http_code}' ");
    let until = std::time::Instant::now() + PATIENCE;
    loop {
        let (status, told) = told(&script).await;
        let mut found = names.clone();
        let wrong = differs("", expected, &told, &mut found);
        if (200..300).contains(&status) && wrong.is_empty() {
            *names = found;
            return;
        }
        let may_come = only_looks && std::time::Instant::now() < until;
        assert!(may_come, "{script}\nis answered {status} {told}\nbut differs in {wrong:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn told(script: &str) -> (u16, Value) {
    let command = Command::new("sh").args(["-c", script]).stdin(Stdio::null()).kill_on_drop(true).output().await;
    let output = command.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let (body, status) = text.rsplit_once('\n').unwrap_or_else(|| panic!("{script}: {text:?} {:?}", output.stderr));
    (status.parse().unwrap(), serde_json::from_str(body).unwrap_or(Value::Null))
}

/// Where the answer is not as the document says; names that are new in braces are learnt.
fn differs(at: &str, expected: &Value, told: &Value, names: &mut Names) -> Vec<String> {
    let wrong = |is_good: bool| if is_good { vec![] } else { vec![format!("{at}: {told}, and not {expected}")] };
    match (expected, told) {
        (Value::Object(expected), Value::Object(told)) => {
            let mut all = wrong(expected.keys().all(|key| told.contains_key(key)) && expected.len() == told.len());
            for (key, value) in expected.iter().filter(|(key, _)| told.contains_key(*key)) {
                let is_varying = VARYING.contains(&key.as_str());
                let same = is_varying && (same_type(value, &told[key]) || key == "next_attempt_at");
                all.extend(if same { vec![] } else { differs(&format!("{at}/{key}"), value, &told[key], names) });
            }
            all
        }
        (Value::Array(expected), Value::Array(told)) if expected.len() == told.len() => {
            expected.iter().zip(told).flat_map(|(expected, told)| differs(at, expected, told, names)).collect()
        }
        (Value::String(text), told) if text == "…" => wrong(!told.is_null()),
        (Value::String(text), Value::String(told)) => wrong(same_text(text, told, names)),
        _ => wrong(expected == told),
    }
}

fn same_type(one: &Value, other: &Value) -> bool {
    std::mem::discriminant(one) == std::mem::discriminant(other)
}

/// Whether the text is as the document says, which may abbreviate it or give it a name.
fn same_text(expected: &str, told: &str, names: &mut Names) -> bool {
    let name = expected.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    let name =
        name.filter(|name| !name.is_empty() && name.bytes().all(|byte| byte == b'_' || byte.is_ascii_lowercase()));
    if let Some(name) = name {
        return names.entry(name.to_owned()).or_insert_with(|| told.to_owned()) == told;
    }
    expected.contains('…') || expected == told
}

/// The operations of the accounts API that no example calls.
fn without_example(document: &Value, examples: &[Example]) -> Vec<String> {
    let called: Vec<(String, String)> = examples.iter().map(|example| call(&example.command)).collect();
    let paths = document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1/"));
    let operations = paths.flat_map(|(path, item)| item.as_object().unwrap().keys().map(move |method| (method, path)));
    let is_called = |method: &str, path: &str| called.iter().any(|call| call.0 == method && like(path, &call.1));
    operations
        .filter(|(method, path)| !is_called(method, path))
        .map(|(method, path)| format!("{method} {path}"))
        .collect()
}

/// The method, in small letters, and the path of a command.
fn call(command: &str) -> (String, String) {
    let method = command.split_once("-X ").and_then(|(_, rest)| rest.split(' ').next()).unwrap_or("GET");
    let path = command.split_once("localhost:5000").and_then(|(_, rest)| rest.split(['?', ' ', '\'', '\n']).next());
    (method.to_lowercase(), path.unwrap().to_owned())
}

/// Whether the path is one of the template's, a name in braces standing for another.
fn like(template: &str, path: &str) -> bool {
    let parts = |text: &str| {
        text.split('/').map(|part| if part.starts_with('{') { "{}" } else { part }.to_owned()).collect::<Vec<_>>()
    };
    parts(template) == parts(path)
}
