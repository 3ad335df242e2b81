//! Section B: who may come in, and what the others are told.

use super::{
    NOT_ADMIN, WRONG_USER, no_key,
    sheet::{Body, Row, Sheet, error, row},
};
use crate::support::{
    Database,
    stage::Stage,
    wire::{User, get},
};

on_both! {
    async fn section_b(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let (sam, ann) = (stage.join("sam", "/sam").await, stage.join("ann", "/ann").await);
        sheet.all(rows(&sam, &ann)).await;
        sheet.end();
    }
}

fn rows(sam: &User, ann: &User) -> Vec<Row> {
    let own = || get(format!("/v1/account/{}", sam.id));
    let with = |username: &str, key: &str| own().header("username", username).header("api-key", key);
    let accounts = get("/v1/accounts?start=0&limit=5");
    let shouted = sam.api_key.to_uppercase();
    vec![
        row("B1", own().header("username", "sam"), 401, no_key()),
        row("B2", own().header("api-key", &sam.api_key), 401, error("Missing username header value")),
        row("B3", own(), 401, no_key()),
        row("B4", with("nobody", &sam.api_key), 401, error(WRONG_USER)),
        row("B5", with("sam", &"0".repeat(40)), 401, error("Invalid API key")),
        row("B5 (keys are compared exactly)", with("sam", &shouted), 401, error("Invalid API key")),
        row("B6", with("sam", ""), 401, error("Invalid API key")),
        row("B7", with("Sam", &sam.api_key), 401, error(WRONG_USER)),
        row("B8", accounts.by(sam), 401, error(NOT_ADMIN)),
        row("B9", with("sam", &ann.api_key), 401, error("Invalid API key")),
        row("B", own().by(sam), 200, Body::Has("id")),
    ]
}
