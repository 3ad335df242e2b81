//! Bodies and rules, made up: nothing panics, and what is said of an event is short and plain. `make fuzz` makes millions of them.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

/// Any JSON, with the names that the built-in sets look for.
fn any_json() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["(Low|Major|NaN|firing|resolved|temp|wd|changed|critical|1_01)", ".{0,200}"];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        text.prop_map(Value::from),
    ];
    let name = prop_oneof![
        "(dev|circuit|value|unit|alias|name|priority|status|alerts|event|type|source|specversion|action|lost)",
        ".{0,5}"
    ];
    leaf.prop_recursive(4, 40, 8, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..8)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_json_is_read_in_one_short_line(body in any_json(), header in ".{0,20}") {
        let (body, headers) = (body.to_string(), |name: &str| name.contains("event").then_some(header.as_str()));
        let reading = Rules::default().read(&Input { body: &body, headers: &headers });
        for text in [reading.title, reading.owner].into_iter().flatten() {
            prop_assert!((1..=120).contains(&text.chars().count()) && !text.chars().any(char::is_control), "{text:?}");
        }
    }

    #[test]
    fn the_short_way_of_a_task_says_what_its_rules_say(body in any_json()) {
        let input = Input { body: &body.to_string(), headers: &|_| None };
        let (short, long) = (Rules::default().read(&input), Rules::default().explain(&input).0);
        prop_assert_eq!(short, long);
    }

    #[test]
    fn any_text_is_rules_or_an_error(text in r#"[- \n{}\[\]:,"'a-z/~{}0-9&*!|>%@]{0,80}"#) {
        if let Ok(rules) = Rules::from_yaml(&text) {
            let _ = rules.explain(&Input { body: "{}", headers: &|_| None });
        }
    }

    #[test]
    fn any_rule_is_read_or_refused(place in ".{0,8}", pattern in ".{0,20}", title in r"[{}/a-z:~0-9 ]{0,20}", body in any_json()) {
        let written = json!([{"when": [{"pointer": format!("/{place}"), "matches": pattern}], "title": title, "priority": title}]);
        if let Ok(rules) = serde_json::from_value::<Rules>(written) {
            let _ = rules.explain(&Input { body: &body.to_string(), headers: &|_| None });
        }
    }
}
