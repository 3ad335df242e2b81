//! The bodies of webhooks, made up: nothing panics, and nothing of a body is dropped in silence.

use common::envelope::{Limits, Refusal, form_fields, split};
use proptest::{
    collection::{btree_map, vec},
    prelude::*,
};
use serde_json::{Map, Value};

const LIMITS: Limits = Limits { max_events: 6, max_depth: 8 };

/// How a sender puts its events into a body.
#[derive(Clone, Copy, Debug)]
enum Form {
    Array,
    Lines,
    /// `payload=…`, percent-encoded.
    Field,
    /// The whole document percent-encoded.
    Encoded,
}

/// Numbers that are none are written as Python and Evok write them.
fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        r#"(NaN|-?Infinity|[ -~äß"\\/\n%+&={}\[\]]{0,6})"#.prop_map(Value::from),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..3).prop_map(Value::from),
            vec(("[a-z]{1,3}", inner), 0..3).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn event() -> impl Strategy<Value = Value> {
    vec(("[a-z]{1,3}", value()), 0..3).prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>()))
}

fn form() -> impl Strategy<Value = Form> {
    prop_oneof![Just(Form::Array), Just(Form::Lines), Just(Form::Field), Just(Form::Encoded)]
}

fn body(events: &[Value], form: Form) -> String {
    let texts: Vec<String> = events.iter().map(Value::to_string).collect();
    let array = format!("[{}]", texts.join(","));
    let encoded = || form_urlencoded::byte_serialize(array.as_bytes()).collect::<String>();
    match form {
        Form::Array => array,
        Form::Lines => texts.join("\n"),
        Form::Field => format!("token=x&payload={}", encoded()),
        Form::Encoded => encoded(),
    }
}

/// The text with the quotes of some `"NaN"` and `"Infinity"` left out, as long as it stays outside of other texts.
fn bare(text: &str) -> String {
    text.replace(":\"NaN\"", ":NaN").replace(":\"Infinity\"", ":Infinity").replace(":\"-Infinity\"", ":-Infinity")
}

proptest! {
    #[test]
    fn what_is_sent_is_what_comes_out(events in vec(event(), 0..=6), form in form(), bytes in 0_usize..4) {
        let sent = body(&events, form);
        // A text that holds the signs around a number that is none cannot be told from one.
        let sent = if bytes == 0 && !sent.contains('\\') { bare(&sent) } else { sent };
        match split(sent.as_bytes(), LIMITS) {
            Ok(found) => {
                let found: Vec<Value> = found.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
                prop_assert_eq!(found, events, "{}", sent);
            }
            Err(Refusal::Empty) => prop_assert!(events.is_empty() && matches!(form, Form::Lines)),
            Err(refusal) => prop_assert!(false, "{:?}: {}", refusal, sent),
        }
    }

    #[test]
    fn a_form_of_several_fields_loses_none(fields in btree_map("[a-z]{1,4}", r#"([a-z+&=% ]{0,6}|\[\]|\{"a":1\}|NaN)"#, 2..5)) {
        prop_assume!(!fields.contains_key("payload"));
        let sent = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
        prop_assert!(split(sent.as_bytes(), LIMITS).is_err(), "{}", sent);
        let found: Value = serde_json::from_str(&form_fields(sent.as_bytes(), 6).unwrap()).unwrap();
        prop_assert_eq!(found, serde_json::to_value(&fields).unwrap());
    }

    #[test]
    fn whatever_arrives_is_refused_or_cut_into_whole_json_texts(body in vec(any::<u8>(), 0..200)) {
        check(&body);
    }

    #[test]
    fn what_looks_like_json_is_refused_or_cut_into_whole_json_texts(body in r#"([\[\]{}",:\\0-9a-n \n%=&+-]|NaN|-?Infinity){0,60}"#) {
        check(body.as_bytes());
    }

    #[test]
    fn what_is_cut_off_or_damaged_is_never_taken_for_something_shorter(events in vec(event(), 1..=3), at in any::<prop::sample::Index>()) {
        let whole = body(&events, Form::Array);
        let cut = &whole.as_bytes()[..at.index(whole.len())];
        prop_assert!(split(cut, LIMITS).is_err(), "{}", whole);
    }
}

fn check(body: &[u8]) {
    for event in split(body, LIMITS).unwrap_or_default() {
        assert!(serde_json::from_str::<Value>(&event).is_ok(), "{event}");
    }
}
