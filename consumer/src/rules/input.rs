//! What rules look at: an event's JSON, and the headers of the request it came with.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;

use crate::{event::Rank, secrets};

const MAX_POINTER_CHARS: usize = 200;
const MAX_HEADER_CHARS: usize = 100;
/// What stands at a pointer is a text, a number or a boolean for whoever asks for a text; of a long one this many bytes are looked at.
const MAX_TEXT_BYTES: usize = 16 * 1024;

/// Gives the value of the header of a name, in any case.
pub type Headers<'a> = dyn Fn(&str) -> Option<&'a str> + 'a;

/// An event as it came, or as it is kept.
pub struct Input<'a> {
    pub body: &'a str,
    pub headers: &'a Headers<'a>,
}

/// The same, read once for all rules. What is no JSON to us (nested 128 deep, or with a number beyond the largest) has nothing at any pointer.
pub struct Facts<'a> {
    document: Option<Value>,
    headers: &'a Headers<'a>,
    /// The priority, once it is known.
    pub decided: Option<Rank>,
}

impl<'a> Facts<'a> {
    #[must_use]
    pub fn of(input: &Input<'a>) -> Self {
        Self { document: serde_json::from_str(input.body).ok(), headers: input.headers, decided: None }
    }

    #[must_use]
    pub fn see(&self, place: &Place) -> Seen<'_> {
        match place {
            Place::Pointer(pointer) => {
                self.document.as_ref().and_then(|document| document.pointer(pointer)).map_or(Seen::Nothing, Seen::Json)
            }
            Place::Header(name) => (self.headers)(name).map_or(Seen::Nothing, Seen::Text),
            Place::Priority => self.decided.map_or(Seen::Nothing, |rank| Seen::Text(rank.as_str())),
        }
    }
}

/// Where something stands: at a JSON pointer (RFC 6901) of the body, in a header, or in what was decided.
#[derive(Clone, Debug)]
pub enum Place {
    Pointer(String),
    Header(String),
    Priority,
}

impl Place {
    /// # Errors
    /// Says what to change.
    pub fn pointer(text: &str) -> Result<Self, String> {
        let tildes = text.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        if !text.starts_with('/') || !tildes || text.chars().count() > MAX_POINTER_CHARS {
            return Err(format!(
                "{} is no JSON pointer: write /member/0/member, ~1 for a slash and ~0 for a tilde in a name, at most {MAX_POINTER_CHARS} letters",
                brief(text)
            ));
        }
        Ok(Self::Pointer(text.to_owned()))
    }

    /// # Errors
    /// Says what to change.
    pub fn header(name: &str) -> Result<Self, String> {
        let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || name.len() > MAX_HEADER_CHARS || !name.bytes().all(is_name) {
            return Err(format!("{} is no name of a header: write one such as x-github-event", brief(name)));
        }
        if secrets::is_secret_header(name) {
            return Err(format!("the header {name} carries a secret, which no rule may see: name another"));
        }
        Ok(Self::Header(name.to_ascii_lowercase()))
    }
}

/// The beginning of what was written, in quotes.
#[must_use]
pub fn brief(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.len() < text.len() { format!("{short:?}…") } else { format!("{short:?}") }
}

/// What stands at a place.
#[derive(Clone, Copy, Debug)]
pub enum Seen<'a> {
    Nothing,
    Json(&'a Value),
    Text(&'a str),
}

impl<'a> Seen<'a> {
    /// As a text; `None` when there is nothing, null, a list or an object.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self {
            Self::Text(text) => Some(Cow::Borrowed(text)),
            Self::Json(Value::String(text)) => Some(Cow::Borrowed(&text[..text.floor_char_boundary(MAX_TEXT_BYTES)])),
            Self::Json(Value::Bool(truth)) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
            Self::Json(Value::Number(number)) => Some(Cow::Owned(plain(number))),
            _ => None,
        }
    }

    /// As a finite number, which may stand in a text.
    #[must_use]
    pub fn number(self) -> Option<f64> {
        let number = match self {
            Self::Json(Value::Number(number)) => number.as_f64(),
            Self::Json(Value::String(text)) => text.trim().parse().ok(),
            Self::Text(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.filter(|number| number.is_finite())
    }

    /// Whether it is this text, number, boolean or null; in a header everything is a text.
    #[must_use]
    pub fn is(self, wanted: &Value) -> bool {
        match self {
            Self::Nothing => false,
            Self::Json(Value::Number(number)) => {
                wanted.as_number().is_some_and(|wanted| number == wanted || number.as_f64() == wanted.as_f64())
            }
            Self::Json(value) => value == wanted,
            Self::Text(text) => Seen::Json(wanted).text().is_some_and(|wanted| wanted == text),
        }
    }

    /// For a person: long texts cut, null when there is nothing.
    #[must_use]
    pub fn shown(self) -> Value {
        match self {
            Self::Nothing => Value::Null,
            Self::Json(value @ (Value::Null | Value::Bool(_) | Value::Number(_))) => value.clone(),
            Self::Json(Value::Array(items)) => format!("a list of {}", items.len()).into(),
            Self::Json(Value::Object(members)) => format!("an object of {}", members.len()).into(),
            Self::Json(Value::String(text)) => text.chars().take(MAX_POINTER_CHARS).collect::<String>().into(),
            Self::Text(text) => text.chars().take(MAX_POINTER_CHARS).collect::<String>().into(),
        }
    }
}

/// A number as a person writes it. A device's number of 32 bits has few digits, which its writing with 64 bits hides: 983.2 and not 983.2000122070312.
fn plain(number: &serde_json::Number) -> String {
    let Some(wide) =
        number.as_f64().filter(|wide| number.is_f64() && (*wide == 0.0 || (1e-5..1e15).contains(&wide.abs())))
    else {
        return number.to_string();
    };
    #[expect(clippy::cast_possible_truncation, reason = "it is only taken where nothing is lost")]
    let narrow = wide as f32;
    #[expect(clippy::float_cmp, reason = "exactly the same or not taken")]
    let is_narrow = f64::from(narrow) == wide;
    if is_narrow { narrow.to_string() } else { wide.to_string() }
}

/// The headers of a request as they are kept with its events: secrets masked, and without what was too long to keep.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct KeptHeaders {
    headers: Vec<(String, String)>,
}

impl KeptHeaders {
    /// Of a request's stored JSON; none when it has none.
    #[must_use]
    pub fn of(request: &str) -> Self {
        let mut kept: Self = serde_json::from_str(request).unwrap_or_default();
        // Rules see no header that carries a secret, now as when it came.
        kept.headers.retain(|(_, value)| value != secrets::MASK);
        kept
    }

    /// `name: value`, one a line, as a person changes them.
    #[must_use]
    pub fn lines(&self) -> String {
        self.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
    }

    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

impl FromIterator<(String, String)> for KeptHeaders {
    fn from_iter<T: IntoIterator<Item = (String, String)>>(headers: T) -> Self {
        Self { headers: headers.into_iter().collect() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_number_is_written_as_a_person_writes_it() {
        let cases = [
            (json!(983.200_012_207_031_2), "983.2"),
            (json!(0.008_299_999_870_359_898), "0.0083"),
            (json!(2.7), "2.7"),
            (json!(98.0), "98"),
            (json!(0.0), "0"),
            (json!(-0.004), "-0.004"),
            (json!(1e300), "1e+300"),
            (json!(1_700_000_000_123_u64), "1700000000123"),
            (json!(1_700_000_000.123), "1700000000.123"),
        ];
        for (value, expected) in cases {
            assert_eq!(Seen::Json(&value).text().unwrap(), expected, "{value}");
        }
    }

    #[test]
    fn a_header_whose_value_was_masked_is_not_there() {
        let request = json!({"headers": [["X-Sign", secrets::MASK], ["X-Zone", "north"]]});
        let kept = KeptHeaders::of(&request.to_string());
        assert_eq!((kept.get("x-sign"), kept.get("x-zone")), (None, Some("north")));
        assert_eq!(kept.lines(), "X-Zone: north");
    }

    #[test]
    fn a_place_is_a_pointer_or_a_header_without_a_secret() {
        for pointer in ["/a", "/a/0/b", "/", "/a~1b~0"] {
            assert!(Place::pointer(pointer).is_ok(), "{pointer}");
        }
        for pointer in ["", "a", "$.a", "/a~2", "/a~", &format!("/{}", "a".repeat(200))] {
            assert!(Place::pointer(pointer).is_err(), "{pointer}");
        }
        for header in ["", "a b", "x:y", "Authorization", "cookie", "X-Gitlab-Token", &"x".repeat(101)] {
            assert!(Place::header(header).is_err(), "{header}");
        }
        assert!(Place::header("X-GitHub-Event").is_ok());
    }
}
