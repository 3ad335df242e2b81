//! What may be the content of a screen, and what is said of what may not.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(value: Value) -> Result<Content, String> {
    Content::read(value)
}

#[test]
fn everything_that_a_screen_can_show_is_read_and_written_alike() {
    let whole = json!({
        "items": [
            {"type": "web", "url": "https://a.example/x", "seconds": 20},
            {"type": "image", "url": "http://a.example/x.png", "seconds": 1},
            {"type": "dashboard", "seconds": 86400},
            {"type": "card", "title": "Now", "text": "{{main.temp}} °C", "datasource": "weather", "color": "#00aa88", "seconds": 15},
        ],
        "datasources": [{"name": "weather", "url": "https://a.example/w.json", "every_seconds": 60}],
        "rules": [{"sensor": "door-1", "event": "open", "value": "1", "show": {"type": "card", "text": "Open"}, "seconds": 20}],
    });
    let content = read(whole.clone()).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&content.json()).unwrap(), whole);
    assert_eq!(Content::stored(Some(&content.json())), content);
    let mut other = content.clone();
    other.items[0].seconds = 21;
    assert_ne!(content.version(), other.version());
}

#[test]
fn what_a_rule_compares_is_kept_as_text() {
    let rule = |value: Value| json!({"items": [{"type": "dashboard", "seconds": 5}], "rules": [{"value": value, "show": {"type": "dashboard"}, "seconds": 5}]});
    for (value, text) in [(json!(1), "1"), (json!(true), "true"), (json!("1.0"), "1.0")] {
        assert_eq!(read(rule(value)).unwrap().rules[0].value.as_deref(), Some(text));
    }
    assert!(read(rule(json!([1]))).unwrap_err().contains("rules[0]: value"));
}

#[test]
fn without_content_the_dashboard_is_shown() {
    for nothing in [None, Some("no JSON"), Some("{}")] {
        assert_eq!(Content::stored(nothing), Content::default());
    }
    assert_eq!(
        Content::default().json(),
        r#"{"items":[{"type":"dashboard","seconds":30}],"datasources":[],"rules":[]}"#
    );
}

#[test]
fn what_cannot_be_in_the_loop_is_named_with_its_place() {
    let dashboard = json!({"type": "dashboard", "seconds": 5});
    let item = |item: Value| json!({"items": [dashboard, item]});
    for (content, said) in [
        (json!([]), "it is a JSON object"),
        (json!({}), "items has 1 to 100"),
        (json!({"items": []}), "items has 1 to 100"),
        (json!({"items": {}}), "items is a list"),
        (json!({"items": vec![dashboard.clone(); 101]}), "items has at most 100 of them, not 101"),
        (json!({"items": [dashboard], "loop": []}), "there is no member loop"),
        (item(json!(5)), "items[1]: it is a JSON object"),
        (item(json!({"type": "dashboard"})), "items[1]: seconds is a whole number from 1 to 86400"),
        (item(json!({"type": "dashboard", "seconds": 0})), "items[1]: seconds"),
        (item(json!({"type": "dashboard", "seconds": 86401})), "items[1]: seconds"),
        (item(json!({"type": "dashboard", "seconds": 1.5})), "items[1]: seconds"),
        (item(json!({"type": "dashboard", "url": "x", "seconds": 5})), "items[1]: unknown field `url`"),
        (item(json!({"type": "video", "seconds": 5})), "items[1]: unknown variant `video`"),
        (item(json!({"seconds": 5})), "items[1]: missing field `type`"),
        (item(json!({"type": "web", "seconds": 5})), "items[1]: missing field `url`"),
        (item(json!({"type": "web", "url": "javascript:alert(1)", "seconds": 5})), "items[1]: url begins with http"),
        (
            item(json!({"type": "image", "url": "data:image/png;base64,", "seconds": 5})),
            "items[1]: url begins with http",
        ),
        (item(json!({"type": "card", "text": " ", "seconds": 5})), "items[1]: text has 1 to 500"),
        (item(json!({"type": "card", "text": "a", "title": "", "seconds": 5})), "items[1]: title has 1 to 500"),
        (item(json!({"type": "card", "text": "a", "color": "red", "seconds": 5})), "items[1]: color is written like"),
        (
            item(json!({"type": "card", "text": "a", "datasource": "w", "seconds": 5})),
            "items[1]: datasource: there is no datasource w",
        ),
    ] {
        let error = read(content.clone()).unwrap_err();
        assert!(error.contains(said), "{content}: {error}");
    }
}

#[test]
fn what_cannot_be_a_datasource_or_a_rule_is_named_with_its_place() {
    let dashboard = json!({"type": "dashboard", "seconds": 5});
    let with = |name: &str, value: Value| json!({"items": [dashboard], name: value});
    let source = |name: &str, url: &str, every: u32| json!({"name": name, "url": url, "every_seconds": every});
    let good = source("a", "https://a.example", 5);
    for (content, said) in [
        (with("datasources", json!([good, good])), "datasources[1]: name: there is another datasource a"),
        (with("datasources", json!([source("", "https://a.example", 5)])), "datasources[0]: name"),
        (with("datasources", json!([source("a/b", "https://a.example", 5)])), "datasources[0]: name"),
        (with("datasources", json!([source("a", "file:///etc/passwd", 5)])), "datasources[0]: url"),
        (
            with("datasources", json!([source("a", "https://a.example", 4)])),
            "datasources[0]: every_seconds is a whole number from 5",
        ),
        (with("datasources", json!(vec![good.clone(); 21])), "datasources has at most 20"),
        (with("rules", json!([{"seconds": 5}])), "rules[0]: missing field `show`"),
        (with("rules", json!([{"show": {"type": "dashboard"}, "seconds": 0}])), "rules[0]: seconds"),
        (with("rules", json!([{"show": {"type": "web", "url": "ftp://a"}, "seconds": 5}])), "rules[0]: show: url"),
        (
            with("rules", json!([{"sensor": "a\nb", "show": {"type": "dashboard"}, "seconds": 5}])),
            "rules[0]: sensor has at most",
        ),
        (
            with("rules", json!([{"sensors": "a", "show": {"type": "dashboard"}, "seconds": 5}])),
            "rules[0]: unknown field `sensors`",
        ),
        (
            with("rules", json!([{"show": {"type": "card", "text": "a", "datasource": "w"}, "seconds": 5}])),
            "rules[0]: show: datasource",
        ),
    ] {
        let error = read(content.clone()).unwrap_err();
        assert!(error.contains(said), "{content}: {error}");
    }
}

fn some_show() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[a-z]{1,9}".prop_map(|host| json!({"type": "web", "url": format!("https://{host}.example/")})),
        "[a-z]{1,9}".prop_map(|host| json!({"type": "image", "url": format!("http://{host}/x.png")})),
        Just(json!({"type": "dashboard"})),
        ("\\PC{1,40}", proptest::option::of("[A-Za-z<&\"]{1,20}"))
            .prop_map(|(text, title)| json!({"type": "card", "text": format!("a{text}"), "title": title})),
    ]
}

proptest! {
    #[test]
    fn what_is_checked_is_stored_and_read_again_as_it_is(
        shows in proptest::collection::vec((some_show(), 1..=DAY_S), 1..20),
        rules in proptest::collection::vec((some_show(), proptest::option::of("\\PC{0,30}"), 1..=DAY_S), 0..9),
    ) {
        let items: Vec<Value> = shows.into_iter().map(|(mut show, seconds)| { show["seconds"] = seconds.into(); show }).collect();
        let rules: Vec<Value> = rules.into_iter().map(|(show, value, seconds)| json!({"value": value, "show": show, "seconds": seconds})).collect();
        let content = read(json!({"items": items, "rules": rules})).unwrap();
        let again = read(serde_json::from_str(&content.json()).unwrap()).unwrap();
        prop_assert_eq!(&again, &content);
        prop_assert_eq!(Content::stored(Some(&content.json())), content);
    }
}
