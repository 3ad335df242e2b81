//! Section D: one account, from its own side and from others'.

use serde_json::{Value, json};

use super::{
    NOT_AUTHORIZED, WRONG_USER, account, ids, registered,
    sheet::{Body, Kind, Row, Sheet, counts, error, refused, row},
};
use crate::support::{
    Database, Receiver,
    endpoint::Say,
    stage::Stage,
    wire::{User, delete, get, patch},
};

on_both! {
    async fn section_d(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let (sam, ann) = (stage.join("sam", "/sam").await, stage.join("ann", "/ann").await);
        sheet.all(reading(&stage, &sam, &ann)).await;
        moving(&sheet, &stage, &sam).await;
        sheet.all(wrong_moves(&sam)).await;
        leaving(&sheet, &stage, &sam, &ann).await;
        sheet.end();
    }

    async fn a_new_endpoint_starts_without_failures(database: Database) {
        let stage = Stage::set(database).await;
        stage.endpoint.script("POST", "/boom", Say::status(500));
        let sam = stage.join("sam", "/boom").await;
        let registration = registered(&stage, &sam, "e").await;
        stage.wire.subscribe(&sam, &registration).await;
        stage.wire.trigger(&sam, &registration).await;
        stage.failed(&sam, 4).await;
        let sheet = Sheet::new(&stage.wire);
        let moved = patch("/v1/account").by(&sam).json(&json!({ "endpoint": stage.endpoint.url("/new") }));
        sheet.play(row("D6", moved, 200, counts("replaced", 1))).await;
        sheet.same("D6", &stage.wire.account(&sam).await["failed_count"], &json!(0));
        sheet.end();
    }

    async fn what_an_account_had_goes_with_it_but_what_it_triggered(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        for (id, by_admin) in [("D19 (by its owner)", false), ("D19 (by the admin)", true)] {
            cascade(&sheet, &stage, id, by_admin).await;
        }
        sheet.end();
    }
}

fn reading(stage: &Stage, sam: &User, ann: &User) -> Vec<Row> {
    let one = |id: &str| get(format!("/v1/account/{id}"));
    let denied = || error(NOT_AUTHORIZED);
    let missing = || error("Missing account_id");
    let hash = Kind::Hash(sam.api_key.clone());
    vec![
        row("D1", one(&sam.id).by(sam), 200, account("sam", stage.endpoint.url("/sam"), hash)),
        row("D2", one(&ann.id).by(sam), 401, denied()),
        row("D3", one(&ann.id).by(&stage.admin), 401, denied()),
        row("D4", one("nope").by(sam), 401, denied()),
        row("D5", get("/v1/account"), 400, missing()),
        row("D5", get("/v1/account").by(sam), 400, missing()),
        row("D5", get("/v1/account/"), 400, missing()),
        row("D5", get("/v1/account/").by(sam), 400, missing()),
    ]
}

async fn moving(sheet: &Sheet, stage: &Stage, sam: &User) {
    let to = |endpoint: Value| patch("/v1/account").by(sam).json(&json!({ "endpoint": endpoint }));
    let kept = stage.wire.account(sam).await;
    sheet.same("D1", &kept["secret_key"], &json!(sam.secret_key));
    let new = stage.endpoint.url("/moved");
    sheet.play(row("D6", to(new.clone().into()), 200, counts("replaced", 1))).await;
    sheet.holds("D6", stage.endpoint.calls("GET", "/moved").is_empty(), "the new endpoint was challenged");
    sheet.play(row("D7", to(new.into()), 200, counts("unchanged", 1))).await;
    let dead = format!("http://{}/", Receiver::nobody().await);
    for (id, endpoint) in [("D8", json!(dead)), ("D10", Value::Null), ("D10", json!(5)), ("D10", json!({ "a": [1] }))] {
        sheet.play(row(id, to(endpoint.clone()), 200, counts("replaced", 1))).await;
        sheet.same(id, &stage.wire.account(sam).await["endpoint"], &endpoint);
    }
}

fn wrong_moves(sam: &User) -> Vec<Row> {
    let body = |value: Value| patch("/v1/account").by(sam).json(&value);
    let missing = || error("Missing endpoint field");
    vec![
        row("D9", body(json!({ "x": 1 })), 400, missing()),
        row("D9", body(json!("{}")), 400, missing()),
        refused("D11", body(Value::Null)),
        refused("D11", body(json!(["endpoint"]))),
        refused("D11", body(json!("endpoint"))),
        refused("D12", body(json!({ "endpoint": "http://127.0.0.1:1/" })).at(&format!("/v1/account/{}", sam.id))),
    ]
}

async fn leaving(sheet: &Sheet, stage: &Stage, sam: &User, ann: &User) {
    let admin = &stage.admin;
    let one = |id: &str| delete(format!("/v1/account/{id}"));
    let denied = || error(NOT_AUTHORIZED);
    let joe = stage.join("joe", "/joe").await;
    sheet
        .all([
            row("D14", one(&ann.id).by(sam), 401, denied()),
            row("D15", one("nope").by(sam), 401, denied()),
            row("D18", delete("/v1/account"), 400, error("Missing account_id")),
            row("D18", delete("/v1/account").by(sam), 400, error("Missing account_id")),
            row("D13", one(&sam.id).by(sam), 200, counts("deleted", 1)),
            row("D13", get(format!("/v1/account/{}", sam.id)).by(sam), 401, error(WRONG_USER)),
            row("D16", one(&ann.id).by(admin), 200, counts("deleted", 1)),
            row("D16", get(format!("/v1/account/{}", ann.id)).by(ann), 401, error(WRONG_USER)),
            row("D17", one("nope").by(admin), 200, counts("skipped", 1)),
            row("D17", one(&ann.id).by(admin), 200, counts("skipped", 1)),
            row("D20", one(&admin.id).by(admin), 200, counts("deleted", 1)),
            row("D20", get("/v1/accounts?start=0&limit=5").by(admin), 401, error(WRONG_USER)),
            row("D20", get(format!("/v1/account/{}", joe.id)).by(&joe), 200, Body::Has("id")),
        ])
        .await;
}

async fn cascade(sheet: &Sheet, stage: &Stage, id: &'static str, by_admin: bool) {
    let (publisher, subscriber) = (stage.join("publisher", "/p").await, stage.join("subscriber", "/s").await);
    let (own, other) = (registered(stage, &publisher, "own").await, registered(stage, &subscriber, "other").await);
    stage.wire.subscribe(&subscriber, &own).await;
    stage.wire.subscribe(&publisher, &other).await;
    let kept = stage.wire.subscribe(&subscriber, &other).await;
    stage.wire.trigger(&publisher, &own).await;
    let triggered = ids(stage, &stage.admin, "/v1/webhook/triggered").await;
    let gone = delete(format!("/v1/account/{}", publisher.id));
    let gone = gone.by(if by_admin { &stage.admin } else { &publisher });
    sheet.play(row(id, gone, 200, counts("deleted", 1))).await;
    sheet.same(id, &ids(stage, &stage.admin, "/v1/webhook/registrations").await, &vec![other]);
    sheet.same(id, &ids(stage, &stage.admin, "/v1/webhook/subscriptions").await, &vec![kept]);
    sheet.same(id, &ids(stage, &stage.admin, "/v1/webhook/triggered").await, &triggered);
    stage.wire.must(&delete(format!("/v1/account/{}", subscriber.id)).by(&stage.admin)).await;
}
