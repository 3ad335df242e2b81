//! The bodies a webhook arrives in, cut into the texts of their events; the Content-Type is not trusted.
//!
//! A JSON object is one event, an array one event for each element, NDJSON one event a line; a form holds one of these in a field. Python and Evok
//! write what is not a number bare (`NaN`, `Infinity`, `-Infinity`), which is no JSON: it becomes a text of the same letters.

pub mod bare;
pub mod cloud_events;
pub mod form;

use std::{borrow::Cow, fmt};

use serde_json::value::RawValue;

/// How much one body may hold.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub max_events: usize,
    /// How deep arrays and objects may stand in each other.
    pub max_depth: usize,
}

/// Why a body is not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    Empty,
    /// Where it broke: line and column (in characters) from 1, offset in bytes from 0.
    NotJson {
        line: usize,
        column: usize,
        offset: usize,
        reason: String,
    },
    /// A lone number, text, boolean or null.
    NotAnEvent,
    TooDeep {
        offset: usize,
        max_depth: usize,
    },
    TooMany {
        max_events: usize,
    },
    /// An attribute of a `CloudEvents` event is missing or is not what it may be.
    Attribute {
        name: String,
        problem: &'static str,
    },
}

/// What to change.
impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("The body is empty. Send a JSON object, an array of them, or one a line."),
            Self::NotAnEvent => {
                f.write_str("A lone value is no event. Send a JSON object, an array of them, or one a line.")
            }
            Self::NotJson { line, column, offset, reason } => {
                write!(f, "The body is not JSON: {reason} at line {line}, column {column} (byte {offset}).")
            }
            Self::TooDeep { offset, max_depth } => {
                write!(f, "The JSON is nested deeper than {max_depth} at byte {offset}.")
            }
            Self::Attribute { name, problem } => write!(f, "Not a CloudEvents 1.0 event: {name} {problem}."),
            Self::TooMany { max_events } => {
                write!(f, "One request carries at most {max_events} events; send the rest in further ones.")
            }
        }
    }
}

/// Cuts a body into its events' JSON texts, as they were sent but for bare `NaN` and `Infinity`.
///
/// # Errors
/// Says why nothing of the body is taken.
pub fn split(body: &[u8], limits: Limits) -> Result<Vec<Cow<'_, str>>, Refusal> {
    let text = utf8(body)?;
    match text.trim_ascii_start().as_bytes().first() {
        None => Err(Refusal::Empty),
        Some(b'{' | b'[') => split_patiently(text, limits),
        Some(_) => match form::json(text) {
            Some(json) => Ok(owned(split_patiently(&json, limits)?)),
            None => Err(not_json_or_scalar(text)),
        },
    }
}

/// A second look is taken only at what is no JSON at the first.
fn split_patiently(text: &str, limits: Limits) -> Result<Vec<Cow<'_, str>>, Refusal> {
    let refusal = match split_json(text, limits) {
        Ok(events) => return Ok(events.into_iter().map(Cow::Borrowed).collect()),
        Err(refusal @ Refusal::NotJson { .. }) => refusal,
        Err(refusal) => return Err(refusal),
    };
    let Some(quoted) = bare::quoted(text) else { return Err(refusal) };
    match split_json(&quoted.text, limits) {
        Ok(events) => Ok(owned(events)),
        Err(Refusal::NotJson { offset, reason, .. }) => {
            let offset = text.floor_char_boundary(quoted.sent_at(offset));
            Err(not_json_at(&text[..offset], offset, &reason))
        }
        Err(refusal) => Err(refusal),
    }
}

fn owned<T: Into<String>>(events: Vec<T>) -> Vec<Cow<'static, str>> {
    events.into_iter().map(|event| Cow::Owned(event.into())).collect()
}

fn utf8(body: &[u8]) -> Result<&str, Refusal> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    std::str::from_utf8(body).map_err(|error| {
        let offset = error.valid_up_to();
        let before = String::from_utf8_lossy(&body[..offset]);
        not_json_at(&before, offset, "not UTF-8")
    })
}

fn split_json(text: &str, limits: Limits) -> Result<Vec<&str>, Refusal> {
    check_depth(text, limits.max_depth)?;
    let values = documents(text, limits.max_events)?;
    match values.as_slice() {
        [only] if only.starts_with('[') => elements(only, limits.max_events),
        _ => Ok(values),
    }
}

/// The JSON values of the text: one, or one a line (NDJSON).
fn documents(text: &str, max_events: usize) -> Result<Vec<&str>, Refusal> {
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let mut found = Vec::with_capacity(1);
    let mut end = 0;
    while let Some(next) = stream.next() {
        let value = next.map_err(|error| broken(text, &error))?.get();
        let gap = &text[end..stream.byte_offset() - value.len()];
        if !found.is_empty() && !gap.contains('\n') {
            return Err(not_json_at(&text[..end], end, "trailing characters"));
        }
        if !value.starts_with(['{', '[']) {
            return Err(Refusal::NotAnEvent);
        }
        if found.len() == max_events {
            return Err(Refusal::TooMany { max_events });
        }
        found.push(value);
        end = stream.byte_offset();
    }
    Ok(found)
}

fn elements(array: &str, max_events: usize) -> Result<Vec<&str>, Refusal> {
    let elements: Vec<&RawValue> = serde_json::from_str(array).map_err(|error| broken(array, &error))?;
    if elements.len() > max_events {
        return Err(Refusal::TooMany { max_events });
    }
    Ok(elements.into_iter().map(RawValue::get).collect())
}

/// One pass over the text: serde's own limit does not hold for values that it only passes over.
fn check_depth(text: &str, max_depth: usize) -> Result<(), Refusal> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (offset, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                depth += 1;
                if depth > max_depth {
                    return Err(Refusal::TooDeep { offset, max_depth });
                }
            }
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    Ok(())
}

fn not_json_or_scalar(text: &str) -> Refusal {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(_) => Refusal::NotAnEvent,
        Err(error) => broken(text, &error),
    }
}

fn broken(text: &str, error: &serde_json::Error) -> Refusal {
    let (line, column) = (error.line().max(1), error.column());
    let line_start: usize = text.split_inclusive('\n').take(line - 1).map(str::len).sum();
    let offset = text.floor_char_boundary((line_start + column.saturating_sub(1)).min(text.len()));
    // serde counts bytes.
    let column = text[line_start.min(offset)..offset].chars().count() + 1;
    let reason = error.to_string();
    let reason = reason.split_once(" at line ").map_or(reason.as_str(), |(reason, _)| reason).to_owned();
    Refusal::NotJson { line, column, offset, reason }
}

fn not_json_at(before: &str, offset: usize, reason: &str) -> Refusal {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    Refusal::NotJson { line, column, offset, reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_events: 3, max_depth: 4 };

    fn events(body: &str) -> Vec<String> {
        split(body.as_bytes(), LIMITS).unwrap().into_iter().map(Cow::into_owned).collect()
    }

    fn refusal(body: &[u8]) -> Refusal {
        split(body, LIMITS).unwrap_err()
    }

    #[test]
    fn every_form_of_body_is_cut_into_its_events() {
        let cases: [(&str, &[&str]); 13] = [
            (r#" {"a": 1} "#, &[r#"{"a": 1}"#]),
            ("[]", &[]),
            (r#"[{"a":1}, 2,"x"]"#, &[r#"{"a":1}"#, "2", r#""x""#]),
            ("{\"a\":1}\n{\"b\":2}\r\n\n", &[r#"{"a":1}"#, r#"{"b":2}"#]),
            ("{\"a\":1}\n[1]\n", &[r#"{"a":1}"#, "[1]"]),
            ("\u{feff}{}", &["{}"]),
            ("payload=%7B%22a%22%3A1%7D", &[r#"{"a":1}"#]),
            ("token=x&payload=%7B%22a%22:+1%7D", &[r#"{"a": 1}"#]),
            ("%7B%22a%22%3A1%7D", &[r#"{"a":1}"#]),
            (r#"{"s":"}]\"{{{{{["}"#, &[r#"{"s":"}]\"{{{{{["}"#]),
            (r#"[{"v": NaN}, {"v":-Infinity}]"#, &[r#"{"v": "NaN"}"#, r#"{"v":"-Infinity"}"#]),
            (r#"{"NaN":"a NaN, \"Infinity","v":[Infinity,1]}"#, &[r#"{"NaN":"a NaN, \"Infinity","v":["Infinity",1]}"#]),
            ("payload=%7B%22a%22%3ANaN%7D", &[r#"{"a":"NaN"}"#]),
        ];
        for (body, expected) in cases {
            assert_eq!(events(body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused_with_the_place_where_it_broke() {
        let at = |body: &[u8]| match refusal(body) {
            Refusal::NotJson { line, column, offset, .. } => (line, column, offset),
            other => panic!("{other:?}"),
        };
        assert_eq!(at(b"{\"a\": nope}"), (1, 8, 7));
        assert_eq!(at(b"{\n  \"a\": 1,\n  oops\n}"), (3, 3, 14));
        assert_eq!(at(b"{} oops"), (1, 4, 3));
        assert_eq!(at("{\"ä\": nope}".as_bytes()), (1, 8, 8));
        assert_eq!(at(b"{}{}"), (1, 3, 2));
        assert_eq!(at(b"{\"a\": \"\xff\"}"), (1, 8, 7));
        assert_eq!(at(b"hello").0, 1);
        for form in ["Body=%5B%5D&From=x", "AddOns=%7B%22a%22%3A1%7D&Body=hello", "text=x&%7B%7D"] {
            assert_eq!(at(form.as_bytes()).0, 1, "a part of a form is not all of it: {form}");
        }
        assert_eq!(at(b"[NaN,\n NaN, oops]"), (2, 7, 12), "where it was sent, not where it would be with quotes");
        for near in [&b"{\"a\": NaNs}"[..], b"{\"a\": -NaN}", b"{\"a\": xNaN}", b"{\"a\": NaN"] {
            assert_eq!(at(near).0, 1, "{near:?}");
        }
    }

    #[test]
    fn what_is_no_event_or_too_much_is_refused() {
        assert_eq!(refusal(b""), Refusal::Empty);
        assert_eq!(refusal(b" \n"), Refusal::Empty);
        for scalar in ["1", "\"text\"", "null", "true"] {
            assert_eq!(refusal(scalar.as_bytes()), Refusal::NotAnEvent, "{scalar}");
        }
        assert_eq!(refusal(b"[1,2,3,4]"), Refusal::TooMany { max_events: 3 });
        assert_eq!(refusal(b"{}\n{}\n{}\n{}"), Refusal::TooMany { max_events: 3 });
        assert_eq!(refusal(b"[[[[[]]]]]"), Refusal::TooDeep { offset: 4, max_depth: 4 });
        assert_eq!(refusal("[".repeat(100_000).as_bytes()), Refusal::TooDeep { offset: 4, max_depth: 4 });
    }
}
