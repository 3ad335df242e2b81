//! Section C: how an account is made, and the challenge before it.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    account,
    sheet::{Body, Kind, Row, Sheet, error, refused, row},
};
use crate::support::{
    Database, Receiver,
    endpoint::{Endpoint, Say},
    stage::{Stage, is_hex40},
    wire::{get, post},
};

const FAILED: &str = "Echo response failed";

on_both! {
    async fn section_c(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        script(&stage.endpoint);
        creation(&sheet, &stage).await;
        let refused_port = format!("http://{}/", Receiver::nobody().await);
        let quick = async {
            sheet.all(taken(&stage)).await;
            sheet.all(echoes(&stage, &refused_port)).await;
            sheet.all(malformed(&stage)).await;
            sheet.all(names(&stage)).await;
        };
        let slow = sheet.play(row("C15", new("late", stage.endpoint.url("/slow")), 400, error(FAILED)));
        tokio::join!(quick, slow);
        sheet.end();
    }
}

fn script(endpoint: &Endpoint) {
    let says = [
        ("/wrong", Say::json(&json!({ "echo": "other" }))),
        ("/201", Say::status(201)),
        ("/list", Say::json(&json!(["echo"]))),
        ("/text", Say::bare()),
        ("/plain", Say::usual().with("content-type", "text/plain")),
        ("/extra", Say::extra()),
        ("/301", Say::redirect(301, "/ok")),
        ("/302", Say::redirect(302, "/ok")),
        ("/303", Say::redirect(303, "/ok")),
        ("/307", Say::redirect(307, "/ok")),
        ("/slow", Say::usual().after(Duration::from_secs(7))),
    ];
    for (path, say) in says {
        endpoint.script("GET", path, say);
    }
}

fn new(username: impl Into<Value>, endpoint: impl Into<Value>) -> crate::support::wire::Request {
    post("/v1/account").json(&json!({ "endpoint": endpoint.into(), "username": username.into() }))
}

async fn creation(sheet: &Sheet, stage: &Stage) {
    let url = stage.endpoint.url("/account/endpoint");
    sheet.play(row("C1", new("sarah", url.as_str()), 201, account("sarah", url, Kind::Hex40))).await;
    let calls = stage.endpoint.calls("GET", "/account/endpoint");
    sheet.same("C2", &calls.len(), &1);
    for call in &calls {
        let echo = call.field("echo").unwrap_or_default();
        sheet.holds("C2", is_hex40(echo), &format!("the challenge is {}", call.target));
        sheet.same("C2", &call.target, &format!("/account/endpoint?echo={echo}"));
        sheet.same("C2", &(call.text("accept"), call.text("content-type")), &("application/json", "application/json"));
        sheet.holds("C2", call.body.is_empty(), "the challenge has a body");
    }
    let url = stage.endpoint.url("/query?a=1&b=x%20y#frag");
    sheet.play(row("C3", new("query", url.as_str()), 201, account("query", url, Kind::Hex40))).await;
    let targets: Vec<String> = stage.endpoint.calls("GET", "/query").into_iter().map(|call| call.target).collect();
    let is_right = |target: &String| target.strip_prefix("/query?a=1&b=x%20y&echo=").is_some_and(is_hex40);
    sheet.holds("C3", targets.len() == 1 && targets.iter().all(is_right), &format!("the challenge is {targets:?}"));
    extras(sheet, stage).await;
}

async fn extras(sheet: &Sheet, stage: &Stage) {
    let (url, key) = (stage.endpoint.url("/ok"), "f".repeat(40));
    let body = json!({ "endpoint": url, "username": "extras", "is_admin": true, "id": "mine", "api_key": key, "secret_key": key });
    let request = post("/v1/account").json(&body);
    let told = sheet.play(row("C4", request, 201, account("extras", url, Kind::Hex40))).await;
    sheet.holds("C4", told.json["api_key"] != key && told.json["secret_key"] != key, "it takes keys from the body");
    let id = told.json["id"].as_str().unwrap_or_default();
    let keyed = get(format!("/v1/account/{id}")).header("username", "extras").header("api-key", &key);
    sheet.play(row("C4", keyed, 401, error("Invalid API key"))).await;
}

fn taken(stage: &Stage) -> Vec<Row> {
    let url = |path| stage.endpoint.url(path);
    vec![
        row("C5", new("sarah", url("/ok")), 409, error("Username already exists")),
        row("C6", new("sarah", url("/wrong")), 400, error(FAILED)),
        row("C7", new("admin", url("/ok")), 409, error("Username already exists")),
    ]
}

fn echoes(stage: &Stage, refused_port: &str) -> Vec<Row> {
    let url = |path| stage.endpoint.url(path);
    let fails = |id, endpoint: Value| row(id, new(id, endpoint), 400, error(FAILED));
    let works = |id, path| {
        row(id, new(format!("{id}{path}"), url(path)), 201, account(format!("{id}{path}"), url(path), Kind::Hex40))
    };
    vec![
        fails("C8", url("/wrong").into()),
        fails("C9", url("/201").into()),
        fails("C10", url("/list").into()),
        fails("C11", url("/text").into()),
        works("C12", "/plain"),
        works("C13", "/extra"),
        works("C14", "/301"),
        works("C14", "/302"),
        works("C14", "/303"),
        works("C14", "/307"),
        fails("C16", refused_port.into()),
        fails("C16", "not a url".into()),
        fails("C16", "".into()),
        fails("C16", Value::Null),
        fails("C16", 5.into()),
    ]
}

fn malformed(stage: &Stage) -> Vec<Row> {
    let url = stage.endpoint.url("/ok");
    let body = |value: Value| post("/v1/account").json(&value);
    vec![
        refused("C17", body(json!({ "username": "C17" }))),
        refused("C18", body(json!({ "endpoint": url }))),
        refused("C19", body(json!("{}"))),
        refused("C19", body(json!([]))),
        refused("C19", body(Value::Null)),
        row("C21", new("C21", url.as_str()).at("/v1/account/"), 201, Body::Has("api_key")),
        refused("C22", new("C22", url).at("/v1/account/abc")),
    ]
}

fn names(stage: &Stage) -> Vec<Row> {
    let url = stage.endpoint.url("/ok");
    let names = [json!(""), json!(7), Value::Null, json!("zoë 😀")];
    let row = |name: Value| row("C20", new(name.clone(), url.as_str()), 201, account(name, url.as_str(), Kind::Hex40));
    names.map(row).into()
}
