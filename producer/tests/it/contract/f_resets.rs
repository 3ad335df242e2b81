//! Section F: new keys, which only the account's endpoint is told.

use std::time::Duration;

use serde_json::{Value, json};

use super::{
    no_key,
    sheet::{Body, Row, Sheet, error, row},
};
use crate::support::{
    Database, Receiver,
    endpoint::Say,
    stage::{Stage, is_hex40},
    wire::{Request, User, get, post},
};

on_both! {
    async fn section_f(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        api_key(&sheet, &stage).await;
        secret_key(&sheet, &stage).await;
        sheet.all(wrong(&stage).await).await;
        let quick = async {
            failing(&sheet, &stage).await;
            working(&sheet, &stage).await;
        };
        let late = user_at(&stage, "late", "/slow", Say::usual().after(Duration::from_secs(7))).await;
        tokio::join!(quick, unheard(&sheet, &late));
        sheet.end();
    }
}

fn reset(username: &str) -> Request {
    post("/v1/account/reset/apikey").header("username", username)
}

fn sent() -> Body {
    Body::Is(json!({ "Message": "New key sent to endpoint" }))
}

fn own(user: &User) -> Request {
    get(format!("/v1/account/{}", user.id)).by(user)
}

async fn api_key(sheet: &Sheet, stage: &Stage) {
    let sam = stage.join("sam", "/sam").await;
    sheet.play(row("F1", reset("sam"), 200, sent())).await;
    let key = told_once(sheet, stage, "F2", ("/sam", "api_key"));
    sheet.play(row("F2", own(&sam), 401, error("Invalid API key"))).await;
    let renewed = User { api_key: key, ..sam };
    sheet.play(row("F2", own(&renewed), 200, Body::Has("id"))).await;
}

async fn secret_key(sheet: &Sheet, stage: &Stage) {
    let ann = stage.join("ann", "/ann").await;
    let request = post("/v1/account/reset/secretkey");
    sheet.play(row("F10", request.clone().by(&ann), 200, sent())).await;
    let key = told_once(sheet, stage, "F10", ("/ann", "secret_key"));
    let told = sheet.play(row("F10", own(&ann), 200, Body::Has("id"))).await;
    sheet.same("F10", &told.json["secret_key"], &json!(key));
    sheet.play(row("F11", request.clone().header("username", "ann"), 401, no_key())).await;
    sheet.play(row("F12", request.by(&stage.admin), 404, error("Endpoint not found"))).await;
}

/// The key that the endpoint was told in exactly one call.
fn told_once(sheet: &Sheet, stage: &Stage, id: &str, (path, field): (&str, &str)) -> String {
    let calls = stage.endpoint.calls("GET", path);
    let calls: Vec<_> = calls.into_iter().filter(|call| call.field(field).is_some()).collect();
    sheet.same(id, &calls.len(), &1);
    let Some(call) = calls.first() else { return String::new() };
    let key = call.field(field).unwrap_or_default().to_owned();
    sheet.same(id, &call.target, &format!("{path}?{field}={key}"));
    sheet.holds(id, is_hex40(&key), &format!("the key is {key}"));
    sheet.same(id, &(call.text("accept"), call.text("content-type")), &("application/json", "application/json"));
    key
}

async fn wrong(stage: &Stage) -> Vec<Row> {
    let gone = stage.join("null", "/null").await;
    let body = json!({ "endpoint": Value::Null });
    stage.wire.must(&crate::support::wire::patch("/v1/account").by(&gone).json(&body)).await;
    let missing = error("Missing the username header value");
    vec![
        row("F3", post("/v1/account/reset/apikey"), 400, missing),
        row("F4", reset("nobody"), 404, error("Username not found")),
        row("F5", reset("admin"), 404, error("Endpoint not found")),
        row("F5", reset("null"), 404, error("Endpoint not found")),
    ]
}

/// An account that moved to a path that says this.
async fn user_at(stage: &Stage, username: &str, path: &str, say: Say) -> User {
    let user = stage.join(username, "/ok").await;
    stage.endpoint.script("GET", path, say);
    stage.wire.move_to(&user, &stage.endpoint.url(path)).await;
    user
}

async fn failing(sheet: &Sheet, stage: &Stage) {
    let says = [
        ("F6-500", Say::status(500)),
        ("F6-201", Say::status(201)),
        ("F6-404", Say::status(404)),
        ("F6-text", Say::text("not JSON")),
        ("F6-empty", Say::text("")),
    ];
    for (username, say) in says {
        let user = user_at(stage, username, &format!("/{username}"), say).await;
        unheard(sheet, &user).await;
    }
    let user = stage.join("F6-refused", "/ok").await;
    stage.wire.move_to(&user, &format!("http://{}/", Receiver::nobody().await)).await;
    unheard(sheet, &user).await;
}

/// The endpoint does not take the key, which stays as it is.
async fn unheard(sheet: &Sheet, user: &User) {
    let failed = "Failed to contact the endpoint or wrong HTTP status code returned";
    sheet.play(row("F6", reset(&user.username), 400, error(failed))).await;
    sheet.play(row("F6", own(user), 200, Body::Has("id"))).await;
}

async fn working(sheet: &Sheet, stage: &Stage) {
    let says = [
        ("F7", "list", Say::json(&json!([1]))),
        ("F7", "object", Say::json(&json!({}))),
        ("F7", "echo", Say::json(&json!({ "echo": null }))),
        ("F8", "redirect", Say::redirect(302, "/ok")),
        ("F9", "body", Say::usual()),
    ];
    for (id, username, say) in says {
        user_at(stage, username, &format!("/{username}"), say).await;
        let request = if id == "F9" { reset(username).body("\"{}\"") } else { reset(username) };
        sheet.play(row(id, request, 200, sent())).await;
    }
}
