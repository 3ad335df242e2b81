//! Section A: a slash at the end of an address changes nothing, on any route.

use serde_json::json;

use super::{
    registered,
    sheet::{Body, Row, Sheet, counts, row},
};
use crate::support::{
    Database,
    stage::Stage,
    wire::{User, delete, get, patch, post},
};

const PAGE: &str = "start=0&limit=5";

on_both! {
    async fn every_route_takes_a_slash_at_its_end(database: Database) {
        let stage = Stage::set(database).await;
        let sheet = Sheet::new(&stage.wire);
        let sarah = stage.join("sarah", "/sarah").await;
        let registration = registered(&stage, &sarah, "e").await;
        let subscription = stage.wire.subscribe(&sarah, &registration).await;
        let url = stage.endpoint.url("/new");
        sheet.all(made(&sarah, &registration, &url)).await;
        sheet.all(listed(&stage.admin, &sarah)).await;
        sheet.all(resets(&sarah)).await;
        sheet.end();
        let sheet = Sheet::new(&stage.wire);
        sheet.all(removed(&stage.admin, &registration, &subscription)).await;
        sheet.end();
    }
}

fn made(sarah: &User, registration: &str, url: &str) -> Vec<Row> {
    let new = json!({ "endpoint": url, "username": "new" });
    let described = json!({ "description": "n" });
    let whole = json!({ "description": "d", "event": "e", "event_data": {} });
    let post_by = |path: String| post(path).by(sarah);
    vec![
        row("C21", post("/v1/account/").json(&new), 201, Body::Has("id")),
        row("PATCH account/", patch("/v1/account/").by(sarah).json(&new), 200, counts("replaced", 1)),
        row("POST registration/", post_by("/v1/webhook/registration/".into()).json(&whole), 201, Body::Has("id")),
        row(
            "PATCH registration/{id}/",
            patch(format!("/v1/webhook/registration/{registration}/")).by(sarah).json(&described),
            200,
            counts("replaced", 1),
        ),
        row(
            "POST subscription/{id}/",
            post_by(format!("/v1/webhook/subscription/{registration}/")),
            201,
            Body::Has("id"),
        ),
        row("POST triggered/{id}/", post_by(format!("/v1/webhook/triggered/{registration}/")), 201, Body::Has("id")),
    ]
}

fn listed(admin: &User, sarah: &User) -> Vec<Row> {
    let list = |id, path: &str, user: &User, key| row(id, get(format!("{path}?{PAGE}")).by(user), 200, Body::Has(key));
    vec![
        row("GET account/{id}/", get(format!("/v1/account/{}/", sarah.id)).by(sarah), 200, Body::Has("id")),
        list("GET accounts/", "/v1/accounts/", admin, "accounts"),
        list("GET registration/", "/v1/webhook/registration/", sarah, "registrations"),
        list("GET registrations/", "/v1/webhook/registrations/", sarah, "registrations"),
        list("GET subscription/", "/v1/webhook/subscription/", sarah, "subscriptions"),
        list("GET subscriptions/", "/v1/webhook/subscriptions/", sarah, "subscriptions"),
        list("GET triggered/", "/v1/webhook/triggered/", sarah, "triggered_webhooks"),
    ]
}

fn resets(sarah: &User) -> Vec<Row> {
    let sent = || Body::Is(json!({ "Message": "New key sent to endpoint" }));
    vec![
        row("POST reset/secretkey/", post("/v1/account/reset/secretkey/").by(sarah), 200, sent()),
        row("POST reset/apikey/", post("/v1/account/reset/apikey/").header("username", "sarah"), 200, sent()),
    ]
}

fn removed(admin: &User, registration: &str, subscription: &str) -> Vec<Row> {
    let gone = |id, path: String, number| row(id, delete(path).by(admin), 200, counts("deleted", number));
    vec![
        gone("DELETE subscription/{id}/", format!("/v1/webhook/subscription/{subscription}/"), 1),
        gone("DELETE subscriptions/", "/v1/webhook/subscriptions/".into(), 1),
        gone("DELETE registration/{id}/", format!("/v1/webhook/registration/{registration}/"), 1),
        gone("DELETE registrations/", "/v1/webhook/registrations/".into(), 1),
        gone("DELETE accounts/", "/v1/accounts/".into(), 2),
        gone("DELETE account/{id}/", format!("/v1/account/{}/", admin.id), 1),
    ]
}
