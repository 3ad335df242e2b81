//! Section I: triggering, and for whom it sends nothing.

use serde_json::json;

use super::{
    WRONG_PAGE, no_key, registered,
    sheet::{Body, Kind, Row, Sheet, error, harmless, is, row},
};
use crate::support::{
    Database,
    endpoint::Say,
    stage::Stage,
    wire::{Request, User, delete, get, post},
};

const ALL: &str = "/v1/webhook/triggered";

on_both! {
    async fn section_i(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let (owner, other) = (stage.join("owner", "/owner").await, stage.join("other", "/other").await);
        let registration = registered(&stage, &owner, "e").await;
        sheet.play(row("I9", page("start=0&limit=2").by(&other), 204, Body::Text("", "text/html; charset=utf-8"))).await;
        sheet.all(triggering(&registration, &owner, &other, &stage.admin)).await;
        sheet.all(listing(&other)).await;
        sheet.holds("I3", stage.endpoint.calls("POST", "/owner").is_empty(), "something was sent to nobody");
        sheet.end();
    }

    async fn subscribers_without_an_endpoint_or_an_account_are_passed_over(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let registration = registered(&stage, &stage.admin, "e").await;
        stage.wire.subscribe(&stage.admin, &registration).await;
        stage.follower("first", &registration).await;
        sheet.play(row("I13", trigger(&registration).by(&stage.admin), 201, made(&registration))).await;
        stage.endpoint.arrived("POST", "/first", 1).await;
        stage.wire.must(&delete("/v1/accounts").by(&stage.admin)).await;
        stage.follower("second", &registration).await;
        sheet.play(row("I14", trigger(&registration).by(&stage.admin), 201, made(&registration))).await;
        stage.endpoint.arrived("POST", "/second", 1).await;
        sheet.same("I14", &stage.endpoint.calls("POST", "/first").len(), &1);
        sheet.end();
    }

    async fn an_endpoint_that_failed_too_often_is_sent_nothing_new(database: Database) {
        let stage = Stage::with(database, |mut settings| { settings.max_failed_count = 2; settings }).await;
        let sheet = Sheet::new(&stage.wire);
        let owner = stage.join("owner", "/owner").await;
        let registration = registered(&stage, &owner, "e").await;
        stage.endpoint.script("POST", "/bad", Say::status(500));
        let bad = stage.follower("bad", &registration).await;
        stage.follower("good", &registration).await;
        stage.wire.trigger(&owner, &registration).await;
        // J20: it is at its limit after the second attempt, and the retries that pend still run.
        stage.failed(&bad, 4).await;
        sheet.play(row("I15", trigger(&registration).by(&owner), 201, made(&registration))).await;
        stage.endpoint.arrived("POST", "/good", 2).await;
        stage.two_retries_later("marker").await;
        sheet.same("I15", &stage.endpoint.calls("POST", "/bad").len(), &4);
        sheet.end();
    }
}

fn page(query: &str) -> Request {
    get(format!("{ALL}?{query}"))
}

fn trigger(registration: &str) -> Request {
    post(format!("{ALL}/{registration}"))
}

fn made(registration: &str) -> Body {
    Body::Record(vec![("epoch", Kind::Epoch), ("id", Kind::Uuid), ("registration_id", is(registration))])
}

fn triggering(registration: &str, owner: &User, other: &User, admin: &User) -> Vec<Row> {
    let one = || trigger(registration);
    let denied = || error("You don't have access to this registration record or it no longer exists");
    let unknown = || error("Registration id not found");
    let missing = || error("Missing registration_id");
    vec![
        row("I1", one().by(owner), 201, made(registration)),
        row("I2", one().by(owner).body("\"{}\""), 201, made(registration)),
        row("I2", one().by(owner).body("anything"), 201, made(registration)),
        row("I2", one().by(owner).json(&json!({ "event": "x" })), 201, made(registration)),
        row("I4", one().by(other), 401, denied()),
        row("I5", one().by(admin), 401, denied()),
        row("I6", trigger("nope").by(owner), 404, unknown()),
        row("I6", trigger("nope").by(admin), 404, unknown()),
        row("I7", post(ALL).by(owner), 400, missing()),
        row("I7", post(ALL), 400, missing()),
        row("I8", one(), 401, no_key()),
        row("I8", trigger("nope"), 401, no_key()),
    ]
}

/// Four were triggered by now.
fn listing(other: &User) -> Vec<Row> {
    let list = |count, next| Body::List("triggered_webhooks", count, next);
    vec![
        row("I9", page("start=0&limit=2").by(other), 200, list(2, Some(2))),
        row("I9", page("start=0&limit=100").by(other), 200, list(4, None)),
        row("I9", page("start=4&limit=2").by(other), 204, Body::Empty),
        row("I9", page("start=0&limit=101").by(other), 400, error(WRONG_PAGE)),
        row("I10", page("start=a"), 400, error(WRONG_PAGE)),
        row("I10", get(ALL), 400, error(WRONG_PAGE)),
        row("I10", page("start=0&limit=5"), 401, no_key()),
        harmless("I12", get(format!("{ALL}/x?start=0&limit=2")).by(other)),
    ]
}
