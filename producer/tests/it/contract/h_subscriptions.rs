//! Section H: who takes what is triggered.

use serde_json::json;

use super::{
    NOT_ADMIN, NOT_AUTHORIZED, WRONG_PAGE, ids, no_key, registered,
    sheet::{Body, Kind, Row, Sheet, counts, error, harmless, is, row},
};
use crate::support::{
    Database,
    stage::Stage,
    wire::{Request, User, delete, get, post},
};

const ONE: &str = "/v1/webhook/subscription";
const ALL: &str = "/v1/webhook/subscriptions";

on_both! {
    async fn section_h(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let (owner, subscriber) = (stage.join("owner", "/owner").await, stage.join("subscriber", "/subscriber").await);
        let registration = registered(&stage, &owner, "e").await;
        sheet.all(empty(&owner)).await;
        sheet.all(making(&registration, &owner, &subscriber)).await;
        listing(&sheet, &stage, &owner, &subscriber).await;
        removing(&sheet, &stage, &owner, &subscriber).await;
        sheet.end();
    }
}

fn page(path: &str, query: &str) -> Request {
    get(format!("{path}?{query}"))
}

fn past() -> Body {
    Body::Text("", "text/html; charset=utf-8")
}

fn empty(owner: &User) -> Vec<Row> {
    vec![
        row("H8", page(ONE, "start=0&limit=5").by(owner), 204, past()),
        row("H11", page(ALL, "start=0&limit=5").by(owner), 204, past()),
    ]
}

fn making(registration: &str, owner: &User, subscriber: &User) -> Vec<Row> {
    let to = |id: &str| post(format!("{ONE}/{id}"));
    let made = |user: &User| {
        Body::Record(vec![
            ("account_id", is(user.id.as_str())),
            ("epoch", Kind::Epoch),
            ("id", Kind::Uuid),
            ("registration_id", is(registration)),
        ])
    };
    let missing = || error("Missing subscription_id");
    vec![
        row("H1", to(registration).by(subscriber), 201, made(subscriber)),
        row("H2", to(registration).by(subscriber), 201, made(subscriber)),
        row("H3", to(registration).by(owner), 201, made(owner)),
        row("H4", to(registration).by(owner).body("\"{}\""), 201, made(owner)),
        row("H4", to(registration).by(owner).body("not JSON"), 201, made(owner)),
        row("H4", to(registration).by(owner).body("{}"), 201, made(owner)),
        row("H5", to("nope").by(subscriber), 404, error("The registration id does not exist")),
        row("H6", post(ONE).by(subscriber), 400, missing()),
        row("H6", post(ONE), 400, missing()),
        row("H7", to(registration), 401, no_key()),
    ]
}

/// The subscriber has two by now, the owner four.
async fn listing(sheet: &Sheet, stage: &Stage, owner: &User, subscriber: &User) {
    let list = |count, next| Body::List("subscriptions", count, next);
    let taken = ids(stage, subscriber, ONE).await;
    sheet.holds("H2", taken.len() == 2 && taken[0] != taken[1], &format!("the subscriber has {taken:?}"));
    let told = sheet.play(row("H9", page(ONE, "start=1&limit=1").by(subscriber), 200, list(1, Some(2)))).await;
    sheet.same("H9", &told.json["subscriptions"][0]["id"], &json!(taken.get(1)));
    let second = taken.get(1).cloned().unwrap_or_default();
    sheet
        .all([
            row("H8", page(ONE, "start=0&limit=5").by(subscriber), 200, list(2, None)),
            row("H8", page(ONE, "start=0&limit=5").by(owner), 200, list(4, None)),
            row("H8", page(ONE, "start=0&limit=0").by(subscriber), 400, error(WRONG_PAGE)),
            row("H10", page(ONE, "start=a"), 401, no_key()),
            row("H11", page(ALL, "start=0&limit=100").by(subscriber), 200, list(6, None)),
            row("H11", page(ALL, "start=2&limit=3").by(owner), 200, list(3, Some(5))),
            row("H12", page(ALL, "start=a"), 400, error(WRONG_PAGE)),
            row("H12", get(ALL), 400, error(WRONG_PAGE)),
            row("H13", page(ALL, "start=0&limit=5"), 401, no_key()),
            harmless("H19", page(&format!("{ONE}/{second}"), "start=0&limit=5").by(subscriber)),
        ])
        .await;
}

async fn removing(sheet: &Sheet, stage: &Stage, owner: &User, subscriber: &User) {
    let admin = &stage.admin;
    let taken = ids(stage, subscriber, ONE).await;
    let gone = |id: &str| delete(format!("{ONE}/{id}"));
    let denied = || error(NOT_AUTHORIZED);
    let missing = || error("Missing subscription_id");
    sheet
        .all([
            row("H15", gone(&taken[0]).by(owner), 401, denied()),
            row("H15", gone("nope").by(owner), 401, denied()),
            row("H15 (no auth)", gone(&taken[0]), 401, no_key()),
            row("H14", gone(&taken[0]).by(subscriber), 200, counts("deleted", 1)),
            row("H14", gone(&taken[1]).by(admin), 200, counts("deleted", 1)),
            row("H8", page(ONE, "start=0&limit=5").by(subscriber), 204, past()),
            row("H16", gone("nope").by(admin), 200, counts("skipped", 1)),
            row("H17", delete(ONE).by(subscriber), 400, missing()),
            row("H17", delete(ONE), 400, missing()),
            row("H18", delete(ALL).by(subscriber), 401, error(NOT_ADMIN)),
            row("H18", delete(ALL), 401, no_key()),
            row("H18", delete(ALL).by(admin), 200, counts("deleted", 4)),
            row("H18", delete(ALL).by(admin), 200, counts("deleted", 0)),
            row("H11", page(ALL, "start=0&limit=5").by(subscriber), 204, past()),
        ])
        .await;
}
