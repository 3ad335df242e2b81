//! Section E: all accounts, and how every list is paged.

use serde_json::Value;

use super::{
    NOT_ADMIN, WRONG_PAGE, ids, no_key, registered,
    sheet::{Body, Kind, Row, Sheet, counts, error, is, row},
};
use crate::support::{
    Database,
    stage::Stage,
    wire::{Request, User, delete, get},
};

on_both! {
    async fn section_e(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let mut users = Vec::new();
        for name in ["a", "b", "c", "d"] {
            users.push(stage.join(name, "/ok").await);
        }
        everybody(&sheet, &stage.admin, &users).await;
        sheet.all(pages(&stage.admin)).await;
        sheet.all(wrong_pages(&stage.admin)).await;
        numbers_as_python_reads_them(&sheet, &stage.admin).await;
        clearing(&sheet, &stage, &users).await;
        sheet.end();
    }
}

fn page(query: &str) -> Request {
    get(format!("/v1/accounts?{query}"))
}

async fn everybody(sheet: &Sheet, admin: &User, users: &[User]) {
    let whole = row("E1", page("start=0&limit=100").by(admin), 200, Body::List("accounts", 5, None));
    let told = sheet.play(whole).await;
    let records = told.json["accounts"].as_array().cloned().unwrap_or_default();
    let epochs: Vec<f64> = records.iter().filter_map(|record| record["epoch"].as_f64()).collect();
    sheet.holds("E1", epochs.is_sorted(), &format!("the epochs do not ascend: {epochs:?}"));
    let seen: Vec<Option<&str>> = records.iter().map(|record| record["id"].as_str()).collect();
    let mut expected = vec![Some(admin.id.as_str())];
    expected.extend(users.iter().map(|user| Some(user.id.as_str())));
    sheet.same("E1", &seen, &expected);
    let first = records.first().and_then(Value::as_object).cloned().unwrap_or_default();
    let kinds = [
        ("api_key", Kind::Hash(admin.api_key.clone())),
        ("endpoint", is("")),
        ("epoch", Kind::Epoch),
        ("id", Kind::Uuid),
        ("is_admin", is(true)),
        ("secret_key", is(admin.secret_key.as_str())),
        ("username", is("admin")),
    ];
    let fits =
        first.len() == 7 && kinds.iter().all(|(key, kind)| first.get(*key).is_some_and(|value| kind.fits(value)));
    sheet.holds("E2", fits, &format!("the admin's record is {first:?}"));
    let second = records.get(1).and_then(Value::as_object).map_or(0, serde_json::Map::len);
    sheet.same("E1", &second, &8);
}

fn pages(admin: &User) -> Vec<Row> {
    let list = |id, query: &str, count, next| row(id, page(query).by(admin), 200, Body::List("accounts", count, next));
    let past = |id, query: &str| row(id, page(query).by(admin), 204, Body::Text("", "text/html; charset=utf-8"));
    vec![
        list("E3", "start=0&limit=3", 3, Some(3)),
        list("E4", "start=3&limit=2", 2, Some(5)),
        list("E4", "start=0&limit=5", 5, Some(5)),
        list("E4", "start=4&limit=2", 1, None),
        past("E5", "start=500&limit=5"),
        past("E5", "start=5&limit=5"),
        list("E6", "start=0&limit=100", 5, None),
        past("E9", "start=999999999999999&limit=5"),
        list("E13", "start=0&limit=2&limit=1", 2, Some(2)),
    ]
}

fn wrong_pages(admin: &User) -> Vec<Row> {
    let queries = [
        ("E7", "start=0&limit=101"),
        ("E7", "start=0&limit=0"),
        ("E7", "start=0&limit=-1"),
        ("E8", "start=-1&limit=5"),
        ("E10", "start=1000000000000000&limit=5"),
        ("E11", "limit=5"),
        ("E11", "start=0"),
        ("E11", ""),
        ("E11", "start=&limit=5"),
        ("E11", "start=0&limit="),
        ("E11", "start=a&limit=5"),
        ("E11", "start=0&limit=a"),
        ("E11", "start=1.5&limit=5"),
        ("E11", "start=0&limit=1.5"),
    ];
    let wrong = |(id, query): (_, &str)| row(id, page(query).by(admin), 400, error(WRONG_PAGE));
    let mut rows: Vec<Row> = queries.map(wrong).into();
    rows.push(row("E11", get("/v1/accounts").by(admin), 400, error(WRONG_PAGE)));
    rows.push(row("E14", page("start=a"), 401, no_key()));
    rows
}

/// E12 is optional: what Python reads as a number is one here, too, or is refused as the others are.
async fn numbers_as_python_reads_them(sheet: &Sheet, admin: &User) {
    for (query, next) in [("start=%200%20&limit=%2B2", Some(2)), ("start=0&limit=1_0", None)] {
        let told = sheet.wire().send(&page(query).by(admin)).await;
        let read = told.status == 200 && told.json.get("next_start").and_then(Value::as_i64) == next;
        let refused = told.status == 400 && told.json["Error"] == WRONG_PAGE;
        sheet.holds("E12", read || refused, &format!("{query}: {} {}", told.status, told.text));
    }
}

async fn clearing(sheet: &Sheet, stage: &Stage, users: &[User]) {
    let admin = &stage.admin;
    let registration = registered(stage, &users[0], "e").await;
    let subscription = stage.wire.subscribe(&users[1], &registration).await;
    stage.wire.trigger(&users[0], &registration).await;
    let triggered = ids(stage, admin, "/v1/webhook/triggered").await;
    sheet.same("I11", &triggered.len(), &1);
    let all = || delete("/v1/accounts");
    sheet
        .all([
            row("E16", all().by(&users[0]), 401, error(NOT_ADMIN)),
            row("E16", all(), 401, no_key()),
            row("E15", all().by(admin), 200, counts("deleted", 4)),
            row("E15", page("start=0&limit=100").by(admin), 200, Body::List("accounts", 1, None)),
            row("E15", all().by(admin), 200, counts("deleted", 0)),
        ])
        .await;
    sheet.same("E15", &ids(stage, admin, "/v1/webhook/registrations").await, &vec![registration]);
    sheet.same("E15", &ids(stage, admin, "/v1/webhook/subscriptions").await, &vec![subscription]);
    sheet.same("I11", &ids(stage, admin, "/v1/webhook/triggered").await, &triggered);
}
