//! What the API says of itself: its examples are accepted, and it has a page that shows it.

use serde_json::{Map, Value};

use crate::support::{
    Database,
    stage::Stage,
    wire::{Request, User, request},
};

const METHODS: [(&str, &str); 3] = [("post", "POST"), ("patch", "PATCH"), ("put", "PUT")];

/// Every operation of the accounts API that shows a body.
fn examples(document: &Value) -> Vec<(&'static str, String, Value)> {
    let mut found = Vec::new();
    for (path, operations) in document["paths"].as_object().unwrap().iter().filter(|(path, _)| path.starts_with("/v1/"))
    {
        for (key, method) in METHODS {
            let contents = operations[key]["requestBody"]["content"].as_object().into_iter().flatten();
            let shown = contents.filter_map(|(_, content)| shown(document, content));
            found.extend(shown.map(|example| (method, path.clone(), example)));
        }
    }
    found
}

/// The body that is shown: an example of its own, or one put together from those of its schema's members.
fn shown(document: &Value, content: &Value) -> Option<Value> {
    if let Some(example) = content.get("example") {
        return Some(example.clone());
    }
    let schema = content["schema"]["$ref"].as_str()?.trim_start_matches('#');
    let members = document.pointer(schema)?["properties"].as_object()?;
    let members: Map<String, Value> =
        members.iter().filter_map(|(name, member)| Some((name.clone(), member.get("example")?.clone()))).collect();
    (!members.is_empty()).then(|| members.into())
}

/// The path with the id of what it is about.
fn filled((method, path): (&'static str, &str), registration: &str, subscription: &str) -> Request {
    let id = if path.starts_with("/v1/webhook/subscription/") { subscription } else { registration };
    request(method, path.replace("{id}", id))
}

/// Somebody who subscribes to an event of their own.
async fn subscribed(stage: &Stage) -> (User, String, String) {
    let user = stage.join("sarah", "/sarah").await;
    let registration = stage.wire.register(&user, &"order.paid".into(), r#"{"amount": 7}"#).await;
    let subscription = stage.wire.subscribe(&user, &registration).await;
    (user, registration, subscription)
}

#[tokio::test]
async fn every_example_of_the_document_is_accepted() {
    let stage = Stage::set(Database::sqlite()).await;
    let (user, registration, subscription) = subscribed(&stage).await;
    let document = stage.producer.get("/openapi.json").await.json;
    let examples = examples(&document);
    let of = |path: &str| examples.iter().any(|(method, of, _)| (*method, of.as_str()) == ("POST", path));
    assert!(examples.len() >= 10 && of("/v1/account") && of("/v1/webhook/registration"), "{examples:?}");
    for (method, path, example) in &examples {
        let example = example.to_string().replace("http://127.0.0.1:9090", &stage.endpoint.url(""));
        let told =
            stage.wire.send(&filled((method, path), &registration, &subscription).body(&example).by(&user)).await;
        assert!(told.status < 300, "{method} {path} {example}: {} {}", told.status, told.text);
    }
}

#[tokio::test]
async fn a_page_shows_the_document_with_nothing_from_elsewhere() {
    let stage = Stage::set(Database::sqlite()).await;
    let page = stage.producer.get("/docs").await;
    assert_eq!(page.status, 200);
    let linked: Vec<&str> = ["href=\"", "src=\""]
        .iter()
        .flat_map(|attribute| page.text.split(attribute).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .collect();
    assert!(linked.len() >= 3 && linked.iter().all(|link| link.starts_with('/')), "{linked:?}");
    for link in linked {
        assert_eq!(stage.producer.get(link).await.status, 200, "{link}");
    }
}
