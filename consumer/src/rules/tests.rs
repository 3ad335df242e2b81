//! Rules as people write them: which wins, what is left to the built-in sets, and what is refused.

use serde_json::{Value, json};

use super::*;

fn rules(written: &Value) -> Result<Rules, String> {
    serde_json::from_value(written.clone()).map_err(|error| error.to_string())
}

fn read(written: &Value, body: &str) -> Reading {
    rules(written).unwrap().read(&Input { body, headers: &|_| None })
}

#[test]
fn the_first_rule_that_matches_wins() {
    let written = json!([
        {"when": [{"pointer": "/t", "greater": 80}], "priority": "Critical", "owner": "boiler", "title": "too hot: {/t}"},
        {"when": [{"pointer": "/t", "greater": 60}, {"pointer": "/t", "less": 70}], "priority": "Major", "owner": "boiler", "title": "hot"},
        {"priority": "Low", "owner": "boiler", "title": "fine"},
    ]);
    for (body, rank, title, index) in [
        (r#"{"t":81.5}"#, "Critical", "too hot: 81.5", 0),
        (r#"{"t":65}"#, "Major", "hot", 1),
        (r#"{"t":75}"#, "Low", "fine", 2),
        ("[]", "Low", "fine", 2),
        ("no JSON", "Low", "fine", 2),
    ] {
        let reading = read(&written, body);
        assert_eq!((reading.rank.as_str(), reading.title.as_deref()), (rank, Some(title)), "{body}");
        assert_eq!((reading.owner.as_deref(), reading.rule), (Some("boiler"), Some(Matched::Own(index))), "{body}");
    }
}

#[test]
fn what_a_rule_does_not_say_the_built_in_sets_say() {
    let device = r#"{"dev":"ai","circuit":"1_01","value":2.7,"unit":"V"}"#;
    let cases = [
        (json!([{"title": "tank"}]), device, "Low", Some("tank"), Some("ai 1_01")),
        (json!([{"priority": "Critical"}]), device, "Critical", Some("ai 1_01: 2.7 V"), Some("ai 1_01")),
        (
            json!([{"priority": "{/nothing}", "owner": "{/nothing}"}]),
            device,
            "Low",
            Some("ai 1_01: 2.7 V"),
            Some("ai 1_01"),
        ),
        (json!([{"owner": "me"}]), r#"{"priority":"Major"}"#, "Major", None, Some("me")),
        (json!([{"when": [{"pointer": "/x", "exists": true}], "priority": "Low"}]), r#"{"a":1}"#, "other", None, None),
    ];
    for (written, body, rank, title, owner) in cases {
        let reading = read(&written, body);
        let said = (reading.rank.as_str(), reading.title.as_deref(), reading.owner.as_deref());
        assert_eq!(said, (rank, title, owner), "{written}");
    }
}

#[test]
fn a_priority_may_be_any_usual_word_for_one() {
    let written = json!([{"priority": ["{/level}", "{/severity}", "other"]}]);
    for (body, rank) in [
        (r#"{"level":"WARNING"}"#, "Moderate"),
        (r#"{"level":"page"}"#, "Critical"),
        (r#"{"level":"major"}"#, "Major"),
        (r#"{"level":"P1","severity":"high"}"#, "Major"),
        (r#"{"level":"P1"}"#, "other"),
        (r#"{"level":3}"#, "other"),
    ] {
        assert_eq!(read(&written, body).rank.as_str(), rank, "{body}");
    }
}

#[test]
fn a_rule_that_only_fires_sees_what_the_others_decided_and_an_event_id_is_fired_once() {
    let written = json!([
        {"when": [{"priority": ["Major", "Critical"]}], "fire": "alarm", "rate_per_minute": 5},
        {"when": [{"pointer": "/t", "greater": 80}], "priority": "Critical", "fire": "hot"},
        {"when": [{"pointer": "/t", "greater": 60}], "priority": "Major", "fire": "warm"},
        {"when": [{"pointer": "/u", "exists": true}], "fire": "alarm"},
    ]);
    let fired = |body: &str| -> Vec<(i64, String, i64)> {
        let fires = read(&written, body).fires;
        fires.into_iter().map(|fire| (fire.rule, fire.event_id.to_string(), fire.rate_per_minute)).collect()
    };
    let fire = |rule, event_id: &str, rate| (rule, event_id.to_owned(), rate);
    assert_eq!(fired(r#"{"t":90,"u":1}"#), [fire(1, "alarm", 5), fire(2, "hot", 30)]);
    assert_eq!(fired(r#"{"t":70}"#), [fire(1, "alarm", 5), fire(3, "warm", 30)]);
    assert_eq!(fired(r#"{"priority":"Critical","u":1}"#), [fire(1, "alarm", 5)], "the built-in sets decide as well");
    assert_eq!(fired(r#"{"priority":"Low","u":1}"#), [fire(4, "alarm", 30)]);
    assert_eq!(fired(r#"{"priority":"Low"}"#), []);
    assert_eq!(read(&written, r#"{"priority":"Low","u":1}"#).rule, Some(Matched::BuiltIn("task")), "it does not win");
}

#[test]
fn bad_rules_are_named_by_their_number() {
    let good = json!({"priority": "Low"});
    let cases = [
        (json!([good, {"prioritty": "Low"}]), "rule 2: unknown field `prioritty`"),
        (json!([{}]), "rule 1: it says nothing"),
        (json!([good, good, {"priority": "Urgent"}]), "rule 3: priority: \"Urgent\" is none"),
        (json!([{"title": []}]), "rule 1: title: the list is empty"),
        (json!([{"title": 7}]), "rule 1: invalid type: integer `7`, expected a text or a list of texts"),
        (json!([{"title": vec!["x"; 17]}]), "rule 1: more than 16 alternatives"),
        (json!([{"title": "{x}"}]), "rule 1: title: behind {"),
        (
            json!([good, {"when": [{"pointer": "/a", "exists": true}, {"pointer": "/a"}], "title": "x"}]),
            "rule 2: test 2: ",
        ),
        (
            json!([{"when": vec![json!({"pointer": "/a", "exists": true}); 21], "title": "x"}]),
            "rule 1: when: a rule has at most 20",
        ),
        (json!([{"fire": ""}]), "rule 1: fire: event_id is missing"),
        (json!([{"fire": " a"}]), "rule 1: fire: event_id has 1 to 128"),
        (json!([{"fire": "a", "rate_per_minute": 0}]), "rule 1: rate_per_minute is 1 to 600"),
        (json!([{"title": "a", "rate_per_minute": 5}]), "rule 1: rate_per_minute says how often it may fire"),
        (
            json!([{"when": [{"priority": "Low"}], "title": "a", "fire": "a"}]),
            "rule 1: a rule that asks for the priority",
        ),
        (json!([{"when": [{"priority": "Urgent"}], "fire": "a"}]), "rule 1: test 1: priority: \"Urgent\" is none"),
        (json!([{"when": [{"priority": []}], "fire": "a"}]), "rule 1: test 1: priority: the list is empty"),
        (
            json!([{"when": [{"priority": "Low", "exists": true}], "fire": "a"}]),
            "rule 1: test 1: priority stands alone",
        ),
        (json!(vec![good; 101]), "at most 100 rules"),
        (
            json!(vec![json!({"when": vec![json!({"pointer": "/a", "matches": "x"}); 20], "title": "x"}); 6]),
            "rule 6: all rules together",
        ),
        (json!({"priority": "Low"}), "expected a list of rules"),
    ];
    for (written, words) in cases {
        let error = rules(&written).unwrap_err();
        assert!(error.contains(words), "{error}\nshould say\n{words}");
        let in_yaml = Rules::from_yaml(&written.to_string()).unwrap_err();
        assert!(in_yaml.contains(words), "{in_yaml}\nshould say in YAML\n{words}");
    }
}

#[test]
fn rules_are_the_same_in_yaml_and_json_and_are_written_as_they_were_read() {
    let yaml = "
- when:
    - {pointer: /value, greater: 80}
    - {header: X-Kind, equals: null}
    - {pointer: /n, equals: 1}
  priority: Major
  title: ['{/alias}', plain]
- owner: '{/dev}'
";
    let rules = Rules::from_yaml(yaml).unwrap();
    let written = json!([
        {"when": [{"pointer": "/value", "greater": 80.0}, {"header": "X-Kind", "equals": null}, {"pointer": "/n", "equals": 1}],
         "priority": "Major", "title": ["{/alias}", "plain"]},
        {"owner": "{/dev}"},
    ]);
    assert_eq!(serde_json::to_value(&rules).unwrap(), written);
    assert_eq!(serde_json::to_value(super::tests::rules(&written).unwrap()).unwrap(), written);
    assert!(Rules::from_yaml(" \n").unwrap().is_empty());
    assert!(Rules::from_yaml("- {title: x").unwrap_err().contains("line 1"));
}
