//! What of a registration's events a subscription wants: by the event's name and by values in its data.

use std::cmp::Ordering;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Number, Value};

/// How many patterns, and how many tests of the data, one filter may have.
pub const MAX_TESTS: usize = 50;

/// As JSON: `{"events": ["order.*"], "data": [{"pointer": "/amount", "greater": 100}]}`; each of the two may be left out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Filter {
    /// One of them has to match the event's name; `*` stands for any run of characters. `None`: all events.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    events: Option<Vec<String>>,
    /// All of them have to hold.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    data: Option<Vec<Test>>,
}

/// What is asked of one place in the data; all of its conditions have to hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Test {
    /// The place, by RFC 6901: empty for the whole data, `/a/0` for the first element of `a`.
    pointer: String,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    equals: Option<Value>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    greater: Option<Number>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    less: Option<Number>,
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    exists: Option<bool>,
}

/// What stands there is a value, `null` too; only a key that is missing is `None`.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(value: D) -> Result<Option<T>, D::Error> {
    T::deserialize(value).map(Some)
}

impl Filter {
    /// Reads a filter's JSON text.
    ///
    /// # Errors
    /// Says what to change in it.
    pub fn parse(text: &str) -> Result<Self, String> {
        let not_understood = |error| format!("The filter is not understood: {error}.");
        let value: Value = serde_json::from_str(text).map_err(not_understood)?;
        // serde would also take a list of the values, in the order of the fields.
        let tests = value.get("data").and_then(Value::as_array);
        if !value.is_object() || tests.is_some_and(|tests| !tests.iter().all(Value::is_object)) {
            return Err("The filter has to be an object, and so has each element of its \"data\".".into());
        }
        let filter: Self = serde_json::from_value(value).map_err(not_understood)?;
        check_count("events", filter.events.as_ref().map(Vec::len))?;
        check_count("data", filter.data.as_ref().map(Vec::len))?;
        filter.data.iter().flatten().try_for_each(Test::check)?;
        Ok(filter)
    }

    /// Whether the subscription wants an event of this name with this data. A name that is not a string is matched by `*` only.
    #[must_use]
    pub fn matches(&self, event: &Value, data: &Value) -> bool {
        let named = self.events.as_ref().is_none_or(|patterns| patterns.iter().any(|pattern| names(pattern, event)));
        named && self.data.iter().flatten().all(|test| test.holds(data))
    }
}

fn check_count(list: &str, count: Option<usize>) -> Result<(), String> {
    match count {
        Some(0) => Err(format!("The filter's \"{list}\" is empty: give it an element, or leave it out to take all.")),
        Some(count) if count > MAX_TESTS => {
            Err(format!("The filter's \"{list}\" has {count} elements: keep at most {MAX_TESTS}."))
        }
        _ => Ok(()),
    }
}

impl Test {
    fn check(&self) -> Result<(), String> {
        let pointer = &self.pointer;
        if !(pointer.is_empty() || pointer.starts_with('/')) {
            return Err(format!("The filter's pointer \"{pointer}\" has to be empty or start with \"/\"."));
        }
        if pointer.split('~').skip(1).any(|rest| !rest.starts_with(['0', '1'])) {
            return Err(format!("In the filter's pointer \"{pointer}\", write \"~0\" for \"~\" and \"~1\" for \"/\"."));
        }
        let asks = self.equals.is_some() || self.greater.is_some() || self.less.is_some() || self.exists.is_some();
        if asks {
            Ok(())
        } else {
            Err(format!("The filter's test of \"{pointer}\" needs \"equals\", \"greater\", \"less\" or \"exists\"."))
        }
    }

    fn holds(&self, data: &Value) -> bool {
        let found = data.pointer(&self.pointer);
        self.equals.as_ref().is_none_or(|wanted| found.is_some_and(|found| equal(found, wanted)))
            && self.greater.as_ref().is_none_or(|limit| is(found, Ordering::Greater, limit))
            && self.less.as_ref().is_none_or(|limit| is(found, Ordering::Less, limit))
            && self.exists.is_none_or(|wanted| found.is_some() == wanted)
    }
}

fn names(pattern: &str, event: &Value) -> bool {
    event.as_str().map_or(pattern == "*", |name| glob(pattern, name))
}

/// Whether `*` can be replaced in `pattern` so that it becomes `name`.
#[must_use]
pub fn glob(pattern: &str, name: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(rest) = name.strip_prefix(pieces.next().unwrap_or_default()) else {
        return false;
    };
    let Some(last) = pieces.next_back() else {
        return rest.is_empty();
    };
    let middle = rest.strip_suffix(last);
    // The first place of each piece leaves the most room for those that follow.
    middle.is_some_and(|middle| {
        pieces.try_fold(middle, |rest, piece| rest.find(piece).map(|at| &rest[at + piece.len()..])).is_some()
    })
}

fn is(found: Option<&Value>, wanted: Ordering, limit: &Number) -> bool {
    matches!(found, Some(Value::Number(number)) if compare(number, limit) == Some(wanted))
}

/// Equal as JSON, where 1 and 1.0 are the same number.
fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => compare(left, right) == Some(Ordering::Equal),
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (Value::Object(left), Value::Object(right)) => {
            let same = |(key, value)| right.get(key).is_some_and(|other| equal(value, other));
            left.len() == right.len() && left.iter().all(same)
        }
        _ => left == right,
    }
}

/// Integers exactly, others as doubles.
fn compare(left: &Number, right: &Number) -> Option<Ordering> {
    match (left.as_i128(), right.as_i128()) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => left.as_f64()?.partial_cmp(&right.as_f64()?),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn matches(filter: &Value, event: &Value, data: &Value) -> bool {
        Filter::parse(&filter.to_string()).unwrap().matches(event, data)
    }

    #[test]
    fn an_events_name_is_matched_by_any_pattern() {
        for (patterns, event, expected) in [
            (json!(["order.*", "x"]), json!("order.paid"), true),
            (json!(["order.*", "x"]), json!("x"), true),
            (json!(["order.*", "x"]), json!("order"), false),
            (json!(["order.*"]), json!("reorder.paid"), false),
            (json!(["*.paid"]), json!("order.paid"), true),
            (json!(["a*b*c"]), json!("abbc"), true),
            (json!(["a*b*c"]), json!("acb"), false),
            (json!(["ab*ba"]), json!("aba"), false),
            (json!(["*"]), json!(""), true),
            (json!(["*"]), json!(5), true),
            (json!(["**", "5"]), json!(5), false),
            (json!(["null"]), json!(null), false),
        ] {
            assert_eq!(matches(&json!({"events": patterns}), &event, &json!({})), expected, "{patterns} {event}");
        }
        assert!(matches(&json!({}), &json!({"any": 1}), &json!(null)));
    }

    #[test]
    fn a_star_stands_for_any_letters() {
        for (pattern, text) in
            [("ai", "ai"), ("*", ""), ("*", "x"), ("1_*", "1_01"), ("*_01", "1_01"), ("a*b*c", "a-b-b-c"), ("**", "x")]
        {
            assert!(glob(pattern, text), "{pattern} {text}");
        }
        for (pattern, text) in
            [("ai", "ao"), ("", "x"), ("1_*", "2_01"), ("*_02", "1_01"), ("a*b*c", "acb"), ("ab*b", "ab")]
        {
            assert!(!glob(pattern, text), "{pattern} {text}");
        }
    }

    #[test]
    fn every_test_of_the_data_has_to_hold() {
        let data = json!({"amount": 100, "a": {"b": "x"}, "n": null, "list": [1, {"k": 2.0}], "t~/": 9_007_199_254_740_993_u64});
        for (tests, expected) in [
            (json!([{"pointer": "/amount", "greater": 99.5}]), true),
            (json!([{"pointer": "/amount", "greater": 100}]), false),
            (json!([{"pointer": "/amount", "greater": 0, "less": 100}]), false),
            (json!([{"pointer": "/amount", "less": 101}, {"pointer": "/a/b", "equals": "x"}]), true),
            (json!([{"pointer": "/amount", "less": 101}, {"pointer": "/a/b", "equals": "y"}]), false),
            (json!([{"pointer": "/a/b", "greater": 0}]), false),
            (json!([{"pointer": "/amount", "equals": 100.0}]), true),
            (json!([{"pointer": "/amount", "equals": "100"}]), false),
            (json!([{"pointer": "/list", "equals": [1.0, {"k": 2}]}]), true),
            (json!([{"pointer": "/t~0~1", "equals": 9_007_199_254_740_992_u64}]), false),
            (json!([{"pointer": "/n", "equals": null}]), true),
            (json!([{"pointer": "/missing", "equals": null}]), false),
            (json!([{"pointer": "/n", "exists": true}]), true),
            (json!([{"pointer": "/list/2", "exists": false}]), true),
            (json!([{"pointer": "", "exists": true}]), true),
        ] {
            assert_eq!(matches(&json!({"data": tests}), &json!("e"), &data), expected, "{tests}");
        }
        let both = json!({"events": ["x"], "data": [{"pointer": "/amount", "equals": 100}]});
        assert!(matches(&both, &json!("x"), &data) && !matches(&both, &json!("y"), &data));
    }

    #[test]
    fn a_filter_that_cannot_be_meant_is_refused_with_what_to_change() {
        for (filter, says) in [
            (json!([]), "has to be an object"),
            (json!([["order.*"]]), "has to be an object"),
            (json!({"data": [["/a", 1]]}), "has to be an object"),
            (json!("x"), "has to be an object"),
            (json!({"data": "x"}), "not understood"),
            (json!({"event": ["x"]}), "unknown field `event`"),
            (json!({"events": null}), "not understood"),
            (json!({"events": [1]}), "not understood"),
            (json!({"events": []}), "\"events\" is empty"),
            (json!({"events": vec!["x"; MAX_TESTS + 1]}), "keep at most 50"),
            (json!({"data": []}), "\"data\" is empty"),
            (json!({"data": vec![json!({"pointer": "", "exists": true}); MAX_TESTS + 1]}), "keep at most 50"),
            (json!({"data": [{"pointer": "/a"}]}), "needs \"equals\""),
            (json!({"data": [{"equals": 1}]}), "missing field `pointer`"),
            (json!({"data": [{"pointer": "a", "equals": 1}]}), "start with \"/\""),
            (json!({"data": [{"pointer": "/a~2", "equals": 1}]}), "\"~0\""),
            (json!({"data": [{"pointer": "/a", "greater": "1"}]}), "not understood"),
            (json!({"data": [{"pointer": "/a", "equal": 1}]}), "unknown field `equal`"),
        ] {
            let message = Filter::parse(&filter.to_string()).unwrap_err();
            assert!(message.contains(says), "{filter}: {message}");
        }
    }

    #[test]
    fn a_filter_is_written_as_it_was_read() {
        for filter in [
            json!({}),
            json!({"events": ["order.*", "x"]}),
            json!({"data": [{"pointer": "/a/b", "equals": null}, {"pointer": "/c", "greater": 1, "less": 2.5, "exists": true}]}),
        ] {
            assert_eq!(serde_json::to_value(Filter::parse(&filter.to_string()).unwrap()).unwrap(), filter);
        }
    }
}
