//! Section A: what is asked of every request, and what is said to wrong addresses, methods and bodies.

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::{
    no_key, registered,
    sheet::{Body, Row, Sheet, row},
};
use crate::support::{
    Database,
    stage::Stage,
    wire::{Request, User, get, patch, post, request},
};

const JSON: &str = "application/json";

on_both! {
    async fn the_gate(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let sarah = stage.join("sarah", "/sarah").await;
        let id = registered(&stage, &sarah, "e").await;
        sheet.all(types(&sarah)).await;
        sheet.all(bodies(&sarah, &id)).await;
        methods(&sheet, &stage.admin, &sarah).await;
        capitals(&sheet, &stage, &sarah).await;
        sheet.end();
    }
}

fn types(sarah: &User) -> Vec<Row> {
    let gated = || Body::Text("Unsupported Media Type", "text/html; charset=utf-8");
    let own = || get(format!("/v1/account/{}", sarah.id)).by(sarah);
    let typed = |content_type: &str| own().header("content-type", content_type);
    let mut rows = Vec::new();
    for request in any_routes(sarah) {
        rows.push(row("A1", request.clone().header("content-type", "text/plain"), 415, gated()));
        rows.push(row("A2", request.clone().header("content-type", "text/html, application/json"), 415, gated()));
        rows.push(row("A6", request.without("content-type"), 415, gated()));
    }
    rows.push(row("A3", typed("APPLICATION/JSON"), 200, Body::Has("id")));
    rows.push(row("A4", typed("application/json; charset=utf-8"), 200, Body::Has("id")));
    rows.push(row("A5", typed("application/jsonfoo"), 200, Body::Has("id")));
    for nope in ["/nope", "/v1/nope"] {
        rows.push(row("A7", get(nope).header("content-type", "text/plain"), 415, gated()));
        rows.push(row("A8", get(nope), 404, Body::Page("<title>404 Not Found</title>")));
    }
    rows
}

fn any_routes(sarah: &User) -> Vec<Request> {
    vec![
        post("/v1/account").body("{}"),
        get(format!("/v1/account/{}", sarah.id)).by(sarah),
        get("/v1/accounts?start=0&limit=5"),
        post("/v1/account/reset/apikey").header("username", "sarah"),
        get("/v1/webhook/registrations?start=0&limit=5").by(sarah),
        post("/v1/webhook/subscription/x").by(sarah),
        request("DELETE", "/v1/webhook/subscriptions").by(sarah),
        get("/v1/webhook/triggered?start=0&limit=5").by(sarah),
        request("PUT", "/v1/account"),
    ]
}

fn bodies(sarah: &User, registration: &str) -> Vec<Row> {
    let one = format!("/v1/webhook/registration/{registration}");
    let mut rows = Vec::new();
    for (id, text) in [("A15", "{"), ("A15", "{'endpoint': 1}"), ("A16", "")] {
        let requests = [
            post("/v1/account"),
            patch("/v1/account").by(sarah),
            post("/v1/webhook/registration").by(sarah),
            patch(one.as_str()).by(sarah),
        ];
        rows.extend(requests.map(|request| row(id, request.body(text), 400, Body::Has("message"))));
    }
    for request in [patch("/v1/account"), post("/v1/webhook/registration"), patch(one.as_str())] {
        rows.push(row("A17", request.body("{"), 401, no_key()));
    }
    rows.push(row("A16", post("/v1/account"), 400, Body::Has("message")));
    rows
}

async fn methods(sheet: &Sheet, admin: &User, sarah: &User) {
    let denied = || Body::Is(json!({ "message": "The method is not allowed for the requested URL." }));
    let all = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST"];
    let told = sheet.play(row("A9", request("PUT", "/v1/account"), 405, denied())).await;
    sheet.same("A9", &told.allow, &all.map(str::to_owned).to_vec());
    let told = sheet.play(row("A10", get("/v1/account/reset/apikey"), 405, denied())).await;
    sheet.same("A10", &told.allow, &["OPTIONS", "POST"].map(str::to_owned).to_vec());
    let told = sheet.play(row("A11", post("/v1/webhook/registrations"), 405, denied())).await;
    sheet.same("A11", &told.allow, &["DELETE", "GET", "HEAD", "OPTIONS"].map(str::to_owned).to_vec());
    let told = sheet.play(row("A12", request("DELETE", "/v1/webhook/triggered/x").by(admin), 405, denied())).await;
    sheet.holds("A12", !told.allow.iter().any(|method| method == "DELETE"), "Allow names DELETE");
    let told = sheet.play(row("A13", request("OPTIONS", "/v1/account"), 200, Body::Empty)).await;
    sheet.same("A13", &told.allow, &all.map(str::to_owned).to_vec());
    let head = request("HEAD", format!("/v1/account/{}", sarah.id)).by(sarah);
    let told = sheet.play(row("A14", head, 200, Body::Empty)).await;
    sheet.same("A14", &told.content_type.as_str(), &JSON);
}

/// Names of headers may be written in any letter case.
async fn capitals(sheet: &Sheet, stage: &Stage, sarah: &User) {
    let User { id, username, api_key, .. } = sarah;
    let head = format!("GET /v1/account/{id} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", stage.producer.address);
    let keys = format!("USERNAME: {username}\r\nApi-Key: {api_key}\r\nCONTENT-type: {JSON}\r\n\r\n");
    let mut stream = TcpStream::connect(stage.producer.address).await.unwrap();
    stream.write_all(format!("{head}{keys}").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    sheet.holds("header names in capitals", answer.starts_with("HTTP/1.1 200 "), &answer);
}
