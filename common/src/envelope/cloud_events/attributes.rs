//! The attributes of an event: read from headers, and what each may be.

use std::borrow::Cow;

use http::HeaderMap;
use jiff::Timestamp;
use percent_encoding::percent_decode;
use serde_json::{Map, Value};

use crate::{envelope::Refusal, key};

/// What every event has.
const REQUIRED: [&str; 4] = ["specversion", "id", "source", "type"];
/// What is a text where it is there.
const TEXTS: [&str; 7] = ["specversion", "id", "source", "type", "datacontenttype", "dataschema", "subject"];

/// Those that the headers of the binary mode hold.
pub fn of_headers(headers: &HeaderMap) -> Result<Map<String, Value>, Refusal> {
    let mut attributes = Map::new();
    for (name, value) in headers {
        let Some(name) = name.as_str().strip_prefix("ce-") else { continue };
        if matches!(name, "datacontenttype" | "data" | "data_base64") {
            return Err(wrong(name, "is no header: the data is the body, and its type the Content-Type"));
        }
        let text =
            value.to_str().ok().and_then(unescaped).ok_or_else(|| wrong(name, "is not percent-encoded UTF-8"))?;
        if attributes.insert(name.to_owned(), text.into()).is_some() {
            return Err(wrong(name, "comes twice"));
        }
    }
    Ok(attributes)
}

/// What a header's value stands for: without the quotes around it, and then one round of percent-decoding (section 3.1.3.2).
fn unescaped(value: &str) -> Option<String> {
    let inner = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let plain = inner.map_or_else(|| value.to_owned(), without_backslashes);
    percent_decode(plain.as_bytes()).decode_utf8().ok().map(Cow::into_owned)
}

fn without_backslashes(quoted: &str) -> String {
    let mut letters = quoted.chars();
    let mut plain = String::with_capacity(quoted.len());
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    plain
}

/// Whether the attributes make an event; gives what a repeat of it is known by.
pub fn check(attributes: &Map<String, Value>) -> Result<String, Refusal> {
    if let Some(missing) = REQUIRED.into_iter().find(|name| !attributes.contains_key(*name)) {
        return Err(wrong(missing, "is missing"));
    }
    for (name, value) in attributes {
        check_one(name, value)?;
    }
    let text = |name: &str| attributes.get(name).and_then(Value::as_str).unwrap_or_default();
    let (source, id) = (text("source"), text("id"));
    let hash = key::sha256(format!("{} {source} {id}", source.len()).as_bytes());
    // A space, which no sender's own id has.
    Ok(format!("ce {}", key::hex(&hash[..20])))
}

fn check_one(name: &str, value: &Value) -> Result<(), Refusal> {
    let is_plain = |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    if name.is_empty() || !name.bytes().all(is_plain) {
        return Err(wrong(name, "is no name of an attribute: they have the letters a-z and digits"));
    }
    let text = value.as_str();
    let is_good = match name {
        "specversion" if text != Some("1.0") => return Err(wrong(name, "is not 1.0, the one that is understood here")),
        "time" => text.is_some_and(|time| time.parse::<Timestamp>().is_ok()),
        "source" | "dataschema" => text.is_some_and(|uri| !uri.is_empty() && !uri.contains(char::is_whitespace)),
        _ if TEXTS.contains(&name) => text.is_some_and(|text| !text.is_empty()),
        _ => value.is_string() || value.is_boolean() || value.is_i64(),
    };
    match (is_good, name) {
        (true, _) => Ok(()),
        (false, "time") => Err(wrong(name, "is not a time as RFC 3339 writes it")),
        (false, "source" | "dataschema") => Err(wrong(name, "is not a URI")),
        (false, name) if TEXTS.contains(&name) => Err(wrong(name, "is not a text, or empty")),
        (false, name) => Err(wrong(name, "is not a text, a whole number or true and false")),
    }
}

pub fn wrong(name: &str, problem: &'static str) -> Refusal {
    Refusal::Attribute { name: name.to_owned(), problem }
}
