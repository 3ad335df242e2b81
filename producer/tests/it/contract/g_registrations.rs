//! Section G: what is registered to be triggered.

use serde_json::{Value, json};

use super::{
    NOT_ADMIN, NOT_AUTHORIZED, WRONG_PAGE, ids, no_key, registered,
    sheet::{Body, Kind, Row, Sheet, counts, error, harmless, is, refused, row},
};
use crate::support::{
    Database,
    stage::Stage,
    wire::{Request, User, delete, get, patch, post},
};

const ONE: &str = "/v1/webhook/registration";
const ALL: &str = "/v1/webhook/registrations";

on_both! {
    async fn section_g(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let (owner, other) = (stage.join("owner", "/owner").await, stage.join("other", "/other").await);
        sheet.all(making(&owner)).await;
        sheet.all(wrong(&owner)).await;
        listing(&sheet, &stage, &owner, &other).await;
        describing(&sheet, &stage, &owner, &other).await;
        removing(&sheet, &stage, &owner, &other).await;
        clearing(&sheet, &stage, &owner).await;
        sheet.end();
    }
}

fn new(owner: &User, body: &Value) -> Request {
    post(ONE).by(owner).json(body)
}

fn record(owner: &User, body: &Value) -> Body {
    Body::Record(vec![
        ("account_id", is(owner.id.as_str())),
        ("description", is(body["description"].clone())),
        ("epoch", Kind::Epoch),
        ("event", is(body["event"].clone())),
        ("event_data", is(body["event_data"].clone())),
        ("id", Kind::Uuid),
    ])
}

fn making(owner: &User) -> Vec<Row> {
    let data =
        json!({ "message": "hello world", "items": [{ "item1": 1 }, { "item2": 2.5 }], "none": null, "s": "zoë 😀" });
    let plain = json!({ "description": "About", "event": "my.event", "event_data": data });
    let mut extra = plain.clone();
    extra["id"] = json!("mine");
    extra["account_id"] = json!("mine");
    let odd = json!({ "description": null, "event": 5, "event_data": "str" });
    let made = |id, body: &Value| row(id, new(owner, body), 201, record(owner, body));
    vec![made("G1", &plain), made("G2", &extra), made("G3", &odd)]
}

fn wrong(owner: &User) -> Vec<Row> {
    let whole = json!({ "description": "d", "event": "e", "event_data": {} });
    let mut rows: Vec<Row> = ["description", "event", "event_data"]
        .iter()
        .map(|key| {
            let mut body = whole.clone();
            body.as_object_mut().unwrap().remove(*key);
            refused("G4", new(owner, &body))
        })
        .collect();
    rows.push(refused("G4", new(owner, &json!("{}"))));
    rows.push(refused("G4", new(owner, &json!(["description", "event", "event_data"]))));
    rows.push(row("G5", post(ONE).json(&whole), 401, no_key()));
    rows.push(refused("G24", new(owner, &whole).at(&format!("{ONE}/x"))));
    rows
}

/// The owner has three by now; the other none.
async fn listing(sheet: &Sheet, stage: &Stage, owner: &User, other: &User) {
    let page = |path: &str, query: &str| get(format!("{path}?{query}"));
    let own = |query: &str| page(ONE, query);
    let list = |count, next| Body::List("registrations", count, next);
    let past = || Body::Text("", "text/html; charset=utf-8");
    sheet.play(row("G6", own("start=0&limit=5").by(other), 204, past())).await;
    let theirs = registered(stage, other, "theirs").await;
    let told = sheet.play(row("G6", own("start=0&limit=5").by(other), 200, list(1, None))).await;
    sheet.same("G6", &told.json["registrations"][0]["id"], &json!(theirs));
    let one = ids(stage, owner, ONE).await[0].clone();
    sheet
        .all([
            row("G6", own("start=0&limit=5").by(owner), 200, list(3, None)),
            row("G7", own("start=0&limit=2").by(owner), 200, list(2, Some(2))),
            row("G7", own("start=1&limit=2").by(owner), 200, list(2, Some(3))),
            row("G8", get(ONE).by(owner), 400, error(WRONG_PAGE)),
            row("G8", own("start=0&limit=101").by(owner), 400, error(WRONG_PAGE)),
            row("G8", get(ONE), 401, no_key()),
            harmless("G9", get(format!("{ONE}/{one}?start=0&limit=5")).by(owner)),
            row("G9", get(format!("{ONE}/{one}")).by(owner), 400, error(WRONG_PAGE)),
            row("G10", page(ALL, "start=0&limit=5").by(owner), 200, list(4, None)),
            row("G10", page(ALL, "start=0&limit=4").by(other), 200, list(4, Some(4))),
            row("G10", page(ALL, "start=4&limit=4").by(other), 204, past()),
            row("G10", get(ALL).by(other), 400, error(WRONG_PAGE)),
            row("G10", get(ALL), 401, no_key()),
        ])
        .await;
}

async fn describing(sheet: &Sheet, stage: &Stage, owner: &User, other: &User) {
    let id = ids(stage, owner, ONE).await[0].clone();
    let one = || patch(format!("{ONE}/{id}"));
    let nope = || patch(format!("{ONE}/nope"));
    let body = json!({ "description": "New", "event": "zzz" });
    let missing = || error("Missing registration_id");
    let denied = || error(NOT_AUTHORIZED);
    let before = first(stage, owner).await;
    sheet.play(row("G11", one().by(owner).json(&body), 200, counts("replaced", 1))).await;
    let mut expected = before;
    expected["description"] = json!("New");
    sheet.same("G11", &first(stage, owner).await, &expected);
    let described = |text: &str| json!({ "description": text });
    sheet
        .all([
            row("G12", one().by(owner).json(&body), 200, counts("unchanged", 1)),
            row("G13", one().by(owner).json(&json!({ "event": "e" })), 400, error("Description field missing")),
            row("G13", one().by(owner).json(&json!("{}")), 400, error("Description field missing")),
            row("G14", one().by(other).json(&body), 401, denied()),
            row("G14", one().by(other).body("{"), 401, denied()),
            row("G14", nope().by(owner).json(&body), 401, denied()),
            row("G14", nope().by(owner).body("{"), 401, denied()),
            row("G14 (no auth)", one().json(&body), 401, no_key()),
            row("G15", one().by(&stage.admin).json(&described("Admin's")), 200, counts("replaced", 1)),
            row("G16", nope().by(&stage.admin).json(&body), 200, counts("skipped", 1)),
            row("G17", patch(ONE).by(owner).json(&body), 400, missing()),
            row("G17", patch(ONE).json(&body), 400, missing()),
        ])
        .await;
}

async fn first(stage: &Stage, user: &User) -> Value {
    stage.wire.must(&get(format!("{ONE}?start=0&limit=1")).by(user)).await["registrations"][0].clone()
}

async fn removing(sheet: &Sheet, stage: &Stage, owner: &User, other: &User) {
    let admin = &stage.admin;
    let (one, two) = (registered(stage, owner, "one").await, registered(stage, owner, "two").await);
    for registration in [&one, &one, &two] {
        stage.wire.subscribe(other, registration).await;
    }
    stage.wire.subscribe(owner, &one).await;
    stage.wire.trigger(owner, &one).await;
    let gone = |id: &str| delete(format!("{ONE}/{id}"));
    let listed = |count| {
        row(
            "G18",
            get("/v1/webhook/subscriptions?start=0&limit=100").by(admin),
            200,
            Body::List("subscriptions", count, None),
        )
    };
    let none = row("G18", get("/v1/webhook/subscriptions?start=0&limit=100").by(admin), 204, Body::Empty);
    sheet
        .all([
            row("G19", gone(&one).by(other), 401, error(NOT_AUTHORIZED)),
            row("G19", gone("nope").by(owner), 401, error(NOT_AUTHORIZED)),
            row("G19 (no auth)", gone(&one), 401, no_key()),
            listed(4),
            row("G18", gone(&one).by(owner), 200, counts("deleted", 1)),
            listed(1),
            row("G18", gone(&two).by(admin), 200, counts("deleted", 1)),
            none,
            row("G20", gone("nope").by(admin), 200, counts("deleted", 0)),
            row("G20", gone(&one).by(admin), 200, counts("deleted", 0)),
            row("G21", delete(ONE).by(owner), 400, error("Missing registration_id")),
            row("G21", delete(ONE), 400, error("Missing registration_id")),
        ])
        .await;
    sheet.same("I11", &ids(stage, admin, "/v1/webhook/triggered").await.len(), &1);
}

/// Four registrations are left by now.
async fn clearing(sheet: &Sheet, stage: &Stage, owner: &User) {
    let admin = &stage.admin;
    let subscription = stage.wire.subscribe(owner, &ids(stage, admin, ALL).await[0]).await;
    sheet
        .all([
            row("G23", delete(ALL).by(owner), 401, error(NOT_ADMIN)),
            row("G23", delete(ALL), 401, no_key()),
            row("G22", delete(ALL).by(admin), 200, counts("deleted", 4)),
            row("G22", delete(ALL).by(admin), 200, counts("deleted", 0)),
        ])
        .await;
    sheet.same("G22", &ids(stage, admin, "/v1/webhook/subscriptions").await, &vec![subscription]);
    sheet.same("I11", &ids(stage, admin, "/v1/webhook/triggered").await.len(), &1);
}
