//! What accounts write and what receivers answer, made up: nothing panics, and what is read can be stored, sent on and told.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use proptest::{collection::vec, prelude::*};
use serde_json::{Value, json};
use url::Url;

use crate::{
    canonical,
    delivery::{
        follow::{Hop, Next},
        retry::{self, Schedule},
    },
    filter::{Filter, glob},
    service::options,
    sources::fake::Weights,
    store::subscriptions::Options,
};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|eighths| Value::from(f64::from(eighths) / 8.0)),
        ".{0,8}".prop_map(Value::from),
    ];
    let name = "(events|data|pointer|equals|greater|less|exists|Low|Major|[a-z/~]{0,4}|.{0,3})";
    leaf.prop_recursive(4, 24, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((name, inner), 0..4).prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn canonical_json_is_the_same_value_and_a_fixed_point(value in any_json()) {
        let text = canonical::dumps(&value.to_string()).unwrap();
        prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        prop_assert!(text.is_ascii() && !text.contains(|letter: char| letter.is_ascii_control()));
        prop_assert_eq!(canonical::dumps(&text), Ok(text.clone()));
    }

    #[test]
    fn any_text_becomes_canonical_json_or_an_error(text in r#"([\[\]{}",:\\0-9a-u .eE+-]|\\u[dD][89abc][0-9a-f]{2}|NaN|Infinity|true|null){0,40}|.{0,40}"#) {
        if let Ok(text) = canonical::dumps(&text) {
            prop_assert_eq!(canonical::dumps(&text), Ok(text.clone()));
        }
        prop_assert_eq!(serde_json::from_str::<String>(&canonical::quoted(&text)).unwrap(), text);
    }

    #[test]
    fn any_filter_is_read_and_answers_or_is_refused(filter in any_json(), text in ".{0,40}", event in any_json(), data in any_json()) {
        for text in [filter.to_string(), text, json!({"data": [{"pointer": "/a", "equals": filter}]}).to_string()] {
            if let Ok(filter) = Filter::parse(&text) {
                let wanted = filter.matches(&event, &data);
                let again = Filter::parse(&serde_json::to_string(&filter).unwrap()).unwrap();
                prop_assert_eq!(again.matches(&event, &data), wanted);
            }
        }
    }

    #[test]
    fn a_pattern_matches_what_its_stars_can_be_replaced_by(pieces in vec("[ab.é]{0,3}", 1..5), between in vec("[ab.é]{0,4}", 5), other in "[ab.é]{0,6}") {
        let pattern = pieces.join("*");
        let named: String = pieces.iter().zip(std::iter::once("").chain(between.iter().map(String::as_str))).map(|(piece, star)| format!("{star}{piece}")).collect();
        prop_assert!(glob(&pattern, &named), "{} {}", pattern, named);
        prop_assert_eq!(glob(&pattern, &other), slow_glob(&pattern.chars().collect::<Vec<_>>(), &other.chars().collect::<Vec<_>>()));
    }

    #[test]
    fn any_option_is_taken_or_told_what_to_write(name in "(profile|fifo|rate_per_minute|filter|headers|.{0,5})", value in any_json()) {
        let _ = options::changed(Options::default(), (name, value));
    }

    #[test]
    fn a_custom_header_that_is_taken_is_one_header(name in "[A-Za-z-]{1,8}|.{0,8}", value in ".{0,20}", broken in "[a-z]{0,3}(\r|\n|\0|\r\n[A-Z]: )[a-z]{0,3}") {
        let set = |name: &str, value: &str| options::changed(Options::default(), ("headers".into(), json!({name: value})));
        if set(&name, &value).is_ok() {
            prop_assert!(name.parse::<HeaderName>().is_ok() && HeaderValue::from_str(&value).is_ok());
        }
        prop_assert!(set(&broken, "x").is_err() && set("x", &broken).is_err());
    }

    #[test]
    fn any_retry_after_is_a_wait_of_a_day_at_most_or_none(header in "[0-9]{0,40}|[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT|.{0,30}", now_ms in any::<i64>()) {
        prop_assert!(retry::retry_after(&header, now_ms).is_none_or(|wait| wait <= Duration::from_hours(24)));
    }

    #[test]
    fn any_schedule_and_any_weights_are_read_or_refused(text in "[0-9.,a-zL=-]{0,20}|.{0,10}", value in any_json(), made in any::<usize>(), share in any::<f64>(), draw in any::<f64>()) {
        if let Ok(schedule) = text.parse::<Schedule>() {
            let wait = schedule.wait_after(made % (schedule.attempts() + 1)).unwrap_or_default();
            prop_assert!(retry::jittered(wait, share, draw) <= wait * 2 + Duration::from_secs(1));
        }
        let _ = (text.parse::<Weights>(), Weights::from_json(&value));
    }

    #[test]
    fn wherever_an_answer_leads_secrets_stay_with_their_host(location in vec(prop_oneof![5 => 0x20..0x7f_u8, 1 => 0x80..=0xff_u8], 0..40), near in "(https?://[a-z.]{1,8}(:[0-9]{1,4})?)?/{0,3}[a-z]{0,4}", status in 300..310_u16) {
        let url: Url = "https://here.example/a".parse().unwrap();
        for location in [location, near.into_bytes()] {
            let headers = HeaderMap::from_iter([(header::AUTHORIZATION, HeaderValue::from_static("s3cret"))]);
            let hop = Hop { method: Method::POST, url: url.clone(), headers, body: Bytes::from_static(b"{}") };
            let answered = HeaderMap::from_iter([(header::LOCATION, HeaderValue::from_bytes(&location).unwrap())]);
            if let Next::Hop(next) = hop.next(StatusCode::from_u16(status).unwrap(), &answered) {
                prop_assert!(next.url.origin() == url.origin() || next.headers.is_empty(), "{}", next.url);
            }
        }
    }
}

/// By trying everything.
fn slow_glob(pattern: &[char], name: &[char]) -> bool {
    match (pattern.split_first(), name.split_first()) {
        (None, None) => true,
        (Some(('*', rest)), _) => (0..=name.len()).any(|at| slow_glob(rest, &name[at..])),
        (Some((one, pattern)), Some((other, name))) => one == other && slow_glob(pattern, name),
        _ => false,
    }
}
