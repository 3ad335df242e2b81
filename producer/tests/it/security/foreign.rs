//! Pages of other origins and names of other hosts, on every route.

use super::{PASSWORD, routes, wide};
use crate::support::{Database, stage::Stage, visitor::Visitor};

#[tokio::test]
async fn no_form_of_another_origin_is_taken_by_any_route_whatever_the_browser_has() {
    let stage = wide().await;
    let owner = stage.join("owner", "/owner").await;
    let session = Visitor::signed_in(&stage.producer, &owner).await.cookie;
    let mut admin = Visitor::default();
    admin.post(&stage.producer, "/login", &[("password", PASSWORD)]).await;
    let cookie = format!("{session}; {}", admin.cookie);
    let foreign = [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("origin", "http://localhost:5000"),
        ("sec-fetch-site", "cross-site"),
    ];
    let mut acts = 0;
    for (method, path) in routes("nothing").into_iter().filter(|(method, _)| *method != "GET") {
        for (name, value) in foreign {
            let kind = if path.starts_with("/v1/") { "application/json" } else { "application/x-www-form-urlencoded" };
            let request = stage.producer.request(method, &path).header("cookie", &cookie).header("content-type", kind);
            let request = request.header("username", "owner").header("api-key", &owner.api_key).header(name, value);
            assert_eq!(request.body("{}").send().await.unwrap().status(), 403, "{method} {path} {name}: {value}");
        }
        acts += 1;
    }
    assert!(acts > 40, "{acts}");
}

#[tokio::test]
async fn a_foreign_name_that_leads_to_this_machine_reads_and_does_nothing() {
    let stage = Stage::set(Database::sqlite()).await;
    for (method, path) in routes("nothing") {
        for host in ["rebound.example", "rebound.example:5000", "127.0.0.1.nip.example", "localhost.evil.example"] {
            let request = stage.producer.request(method, &path).header("host", host);
            assert_eq!(request.send().await.unwrap().status(), 421, "{method} {path} {host}");
        }
    }
}
