//! The tests of a rule: what must stand at a place of the event.

use std::fmt;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::{
    input::{Facts, Place, Seen, brief},
    texts::WrittenTexts,
};
use crate::event::Rank;

const MAX_TEXT_CHARS: usize = 200;
/// Bytes of a compiled expression, and of what one thread keeps to be fast.
const MAX_COMPILED: usize = 256 * 1024;
const ALONE: &str = "priority stands alone in its test; write two tests for two";

/// A test as it is written: `pointer` or `header`, and one thing that is said of what stands there; or `priority` alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WrittenTest {
    /// A place in the body: a JSON pointer (RFC 6901) such as `/alerts/0/status`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pointer: Option<String>,
    /// The name of a header, in any case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<String>,
    /// The event's priority is this one, or one of these; in a rule that does nothing but fire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<WrittenTexts>,
    /// Exactly this text, number, boolean or null.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
    /// A number above this one; it may stand in a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub greater: Option<f64>,
    /// A number below this one; it may stand in a text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub less: Option<f64>,
    /// A text, number or boolean in which this regular expression is found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
    /// True: something stands there, be it null. False: nothing does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exists: Option<bool>,
}

/// As a person says it: `/alarm/level is greater than 5`.
impl fmt::Display for WrittenTest {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        if let Some(priority) = &self.priority {
            return write!(f, "the priority is {priority}");
        }
        f.write_str(self.pointer.as_deref().or(self.header.as_deref()).unwrap_or_default())?;
        match self {
            Self { equals: Some(value), .. } => write!(f, " is {value}"),
            Self { greater: Some(number), .. } => write!(f, " is greater than {number}"),
            Self { less: Some(number), .. } => write!(f, " is less than {number}"),
            Self { matches: Some(text), .. } => write!(f, " matches {text}"),
            Self { exists: Some(false), .. } => f.write_str(" is not there"),
            _ => f.write_str(" is there"),
        }
    }
}

/// `equals: null` is something that is asked for.
fn given<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(deserializer).map(Some)
}

/// A test, ready.
#[derive(Clone, Debug)]
pub struct Test {
    place: Place,
    check: Check,
}

#[derive(Clone, Debug)]
enum Check {
    Equals(Value),
    Greater(f64),
    Less(f64),
    Matches(Regex),
    Exists(bool),
    Among(Vec<Rank>),
}

impl Test {
    /// # Errors
    /// Says what to change.
    pub fn read(written: &WrittenTest) -> Result<Self, String> {
        if let Some(priority) = &written.priority {
            let alone = *written == WrittenTest { priority: Some(priority.clone()), ..WrittenTest::default() };
            let check = if alone { Check::of_priorities(priority)? } else { return Err(ALONE.into()) };
            return Ok(Self { place: Place::Priority, check });
        }
        let place = match (&written.pointer, &written.header) {
            (Some(pointer), None) => Place::pointer(pointer)?,
            (None, Some(name)) => Place::header(name)?,
            _ => return Err("a test needs either pointer or header, or priority alone".into()),
        };
        let mut checks = [
            written.equals.clone().map(Check::Equals),
            written.greater.map(Check::Greater),
            written.less.map(Check::Less),
            written.matches.as_deref().map(compiled).transpose()?.map(Check::Matches),
            written.exists.map(Check::Exists),
        ]
        .into_iter()
        .flatten();
        match (checks.next(), checks.next()) {
            (Some(check), None) => Ok(Self { place, check: check.sound()? }),
            _ => {
                Err("a test needs exactly one of equals, greater, less, matches and exists; write two tests for two"
                    .into())
            }
        }
    }

    #[must_use]
    pub fn holds(&self, facts: &Facts) -> bool {
        self.check.holds(self.see(facts))
    }

    /// What stands where it looks.
    #[must_use]
    pub fn see<'a>(&self, facts: &'a Facts) -> Seen<'a> {
        facts.see(&self.place)
    }
}

impl Check {
    fn of_priorities(written: &WrittenTexts) -> Result<Self, String> {
        let names = written.all();
        let known = names.iter().map(|name| Rank::from_name(name).ok_or(name));
        let ranks = known.collect::<Result<Vec<_>, _>>().map_err(|name| {
            format!(
                "priority: {} is none: write Low, Moderate, Major, Critical or other, or a list of them",
                brief(name)
            )
        })?;
        if ranks.is_empty() { Err("priority: the list is empty".into()) } else { Ok(Self::Among(ranks)) }
    }

    fn sound(self) -> Result<Self, String> {
        match &self {
            Self::Greater(number) | Self::Less(number) if !number.is_finite() => {
                Err("greater and less take a finite number".into())
            }
            Self::Equals(Value::Array(_) | Value::Object(_)) => {
                Err("equals takes a text, a number, true, false or null".into())
            }
            Self::Equals(Value::String(text)) if text.chars().count() > MAX_TEXT_CHARS => {
                Err(format!("equals takes a text of at most {MAX_TEXT_CHARS} letters"))
            }
            _ => Ok(self),
        }
    }

    fn holds(&self, seen: Seen) -> bool {
        match self {
            Self::Equals(wanted) => seen.is(wanted),
            Self::Greater(bound) => seen.number().is_some_and(|number| number > *bound),
            Self::Less(bound) => seen.number().is_some_and(|number| number < *bound),
            Self::Matches(pattern) => seen.text().is_some_and(|text| pattern.is_match(&text)),
            Self::Exists(wanted) => *wanted != matches!(seen, Seen::Nothing),
            Self::Among(ranks) => seen.text().is_some_and(|name| ranks.iter().any(|rank| rank.as_str() == name)),
        }
    }
}

fn compiled(pattern: &str) -> Result<Regex, String> {
    if pattern.chars().count() > MAX_TEXT_CHARS {
        return Err(format!("matches takes an expression of at most {MAX_TEXT_CHARS} letters"));
    }
    let built = RegexBuilder::new(pattern).size_limit(MAX_COMPILED).dfa_size_limit(MAX_COMPILED).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => {
            format!("the expression {} becomes too large: repeat less in it, or write (?-u) before it", brief(pattern))
        }
        error => {
            // The last line is the reason; those before it draw the place.
            let words = error.to_string();
            let reason = words.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
            format!("{} is no regular expression: {reason}", brief(pattern))
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::input::Input, *};

    const BODY: &str = r#"{"a":{"b":[1,2.5,"7"," x "]},"n":null,"t":true,"s":"NaN","big":"e","":0,"c/d":1}"#;

    fn holds(test: &Value) -> bool {
        let headers = |name: &str| (name == "x-kind").then_some("42");
        let facts = Facts::of(&Input { body: BODY, headers: &headers });
        Test::read(&serde_json::from_value(test.clone()).unwrap()).unwrap().holds(&facts)
    }

    #[test]
    fn each_test_says_yes_and_no() {
        let cases = [
            (json!({"pointer": "/a/b/0", "equals": 1}), true),
            (json!({"pointer": "/a/b/0", "equals": 1.0}), true),
            (json!({"pointer": "/a/b/0", "equals": "1"}), false),
            (json!({"pointer": "/a/b/2", "equals": "7"}), true),
            (json!({"pointer": "/n", "equals": null}), true),
            (json!({"pointer": "/m", "equals": null}), false),
            (json!({"pointer": "/t", "equals": true}), true),
            (json!({"pointer": "/", "equals": 0}), true),
            (json!({"pointer": "/c~1d", "equals": 1}), true),
            (json!({"pointer": "/a/b/1", "greater": 2}), true),
            (json!({"pointer": "/a/b/1", "greater": 2.5}), false),
            (json!({"pointer": "/a/b/2", "greater": 6}), true),
            (json!({"pointer": "/a/b/2", "less": 6}), false),
            (json!({"pointer": "/s", "less": 6}), false),
            (json!({"pointer": "/s", "greater": 6}), false),
            (json!({"pointer": "/t", "greater": 0}), false),
            (json!({"pointer": "/a/b/3", "matches": "x"}), true),
            (json!({"pointer": "/a/b/3", "matches": "^x$"}), false),
            (json!({"pointer": "/a/b/1", "matches": r"^2\.5$"}), true),
            (json!({"pointer": "/a", "matches": ""}), false),
            (json!({"pointer": "/n", "exists": true}), true),
            (json!({"pointer": "/m", "exists": true}), false),
            (json!({"pointer": "/m", "exists": false}), true),
            (json!({"pointer": "/a/b/9", "exists": false}), true),
            (json!({"header": "X-Kind", "equals": "42"}), true),
            (json!({"header": "X-Kind", "equals": 42}), true),
            (json!({"header": "x-kind", "greater": 41}), true),
            (json!({"header": "x-other", "exists": true}), false),
        ];
        for (test, expected) in cases {
            assert_eq!(holds(&test), expected, "{test}");
        }
    }

    #[test]
    fn a_bad_test_is_told_what_to_change() {
        let long = "x".repeat(201);
        let cases = [
            (json!({"equals": 1}), "either pointer or header"),
            (json!({"pointer": "/a", "header": "x", "equals": 1}), "either pointer or header"),
            (json!({"pointer": "/a"}), "exactly one of"),
            (json!({"pointer": "/a", "equals": 1, "exists": true}), "exactly one of"),
            (json!({"pointer": "/a", "equals": [1]}), "a text, a number"),
            (json!({"pointer": "/a", "equals": long}), "at most 200"),
            (json!({"pointer": "/a", "matches": long}), "at most 200"),
            (json!({"pointer": "/a", "matches": "(a"}), "unclosed group"),
            (json!({"pointer": "/a", "matches": r"\w{500}"}), "too large"),
            (json!({"pointer": "a", "exists": true}), "no JSON pointer"),
            (json!({"header": "authorization", "exists": true}), "secret"),
        ];
        for (test, words) in cases {
            let error = Test::read(&serde_json::from_value(test.clone()).unwrap()).unwrap_err();
            assert!(error.contains(words), "{test}: {error}");
        }
    }
}
