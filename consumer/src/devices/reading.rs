//! What one event says of a device.

use std::{
    borrow::{Borrow, Cow},
    collections::BTreeMap,
    sync::Arc,
};

use common::{
    device::{CLOCKS, SILENT_S},
    key::{hex, sha256},
};
use serde_json::{Value, value::RawValue};

const MAX_NAME_CHARS: usize = 120;
/// Bytes of the digest that are kept: nobody gains by a collision of their own device with itself.
const DIGEST_BYTES: usize = 16;

/// What a device is known by.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Key {
    pub source: Arc<str>,
    pub dev: String,
    pub circuit: String,
}

/// A reading, cut to what is kept of a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    pub dev: String,
    pub circuit: String,
    /// Its alias, else its name.
    pub name: Option<String>,
    /// The member `type`, which 1-wire sensors have, else `dev`.
    pub kind: String,
    /// JSON: a number, a text, a truth value or null; an object or array is the text of its beginning.
    pub value: String,
    pub unit: Option<String>,
    /// Equal when the device says the same, whatever moved by itself and in whatever order its members stand.
    pub digest: String,
}

impl Reading {
    /// Reads an event's JSON; `None`: it is no reading.
    ///
    /// What does not hold the letters `"dev"` costs a search and nothing more.
    #[must_use]
    pub fn of(body: &str) -> Option<Self> {
        if !body.starts_with('{') || !body.contains("\"dev\"") {
            return None;
        }
        let members: BTreeMap<Cow<str>, &RawValue> = serde_json::from_str(body).ok()?;
        let text = |name: &str| text(members.get(name)?);
        let (dev, circuit) = (named(text("dev")?)?, named(text("circuit")?)?);
        let said = |name: &str| text(name).map(|text| shown(&text)).filter(|text| !text.trim().is_empty());
        Some(Self {
            name: said("alias").or_else(|| said("name")),
            kind: said("type").unwrap_or_else(|| dev.clone()),
            value: value(members.get("value").copied()),
            unit: said("unit"),
            digest: digest(&members),
            dev,
            circuit,
        })
    }
}

fn text(json: &RawValue) -> Option<String> {
    serde_json::from_str(json.get()).ok()
}

/// A text by which a device can be known: not empty, not longer than people write, and one that every database takes.
fn named(text: String) -> Option<String> {
    let is_good = !text.is_empty() && text.chars().count() <= MAX_NAME_CHARS && !text.contains(char::is_control);
    is_good.then_some(text)
}

fn shown(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MAX_NAME_CHARS).collect()
}

fn value(json: Option<&RawValue>) -> String {
    let Some(json) = json.map(RawValue::get) else { return "null".into() };
    let value = match serde_json::from_str(json) {
        Ok(Value::String(text)) => Value::String(shown(&text)),
        Ok(Value::Object(_) | Value::Array(_)) => Value::String(shown(json)),
        Ok(plain) => plain,
        Err(_) => Value::Null,
    };
    value.to_string()
}

fn digest(members: &BTreeMap<Cow<str>, &RawValue>) -> String {
    let mut all = Vec::new();
    for (name, json) in members {
        if !CLOCKS.contains(&name.borrow()) {
            // A JSON text holds no zero byte, and two names that differ in one are a poor joke.
            for part in [name.as_bytes(), &[0], json.get().as_bytes(), &[0]] {
                all.extend_from_slice(part);
            }
        }
    }
    if members.get("last_comm").and_then(|age| age.get().parse().ok()).is_some_and(|age: f64| age > SILENT_S) {
        all.extend_from_slice(b"silent");
    }
    hex(&sha256(&all)[..DIGEST_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Reading {
        Reading::of(body).unwrap()
    }

    #[test]
    fn a_reading_is_an_object_with_dev_and_circuit() {
        let temp = read(r#"{"dev":"temp","circuit":"28","value":47.05,"unit":"°C","type":"DS18B20","time":1.5}"#);
        assert_eq!((temp.dev.as_str(), temp.circuit.as_str(), temp.kind.as_str()), ("temp", "28", "DS18B20"));
        assert_eq!((temp.value.as_str(), temp.unit.as_deref(), temp.name), ("47.05", Some("°C"), None));
        for other in [
            r#"{"dev":"di"}"#,
            r#"{"dev":1,"circuit":"1"}"#,
            r#"{"dev":"di","circuit":""}"#,
            r#"{"dev":"di","circuit":"a\u0000b"}"#,
            r#"["dev","circuit"]"#,
            r#"{"text":"\"dev\""}"#,
        ] {
            assert_eq!(Reading::of(other), None, "{other}");
        }
    }

    #[test]
    fn a_device_is_named_by_its_alias_before_its_name_and_has_any_kind_of_value() {
        let with = |more: &str| read(&format!(r#"{{"dev":"x","circuit":"1"{more}}}"#));
        assert_eq!(with(r#","alias":"pump","name":"CO2""#).name.as_deref(), Some("pump"));
        assert_eq!(with(r#","alias":" ","name":"a\u0000b""#).name.as_deref(), Some("a b"));
        for (json, kept) in [
            ("8.30", "8.3"),
            (r#""NaN""#, r#""NaN""#),
            ("null", "null"),
            ("true", "true"),
            (r#"{"a": [1]}"#, r#""{\"a\": [1]}""#),
        ] {
            assert_eq!(with(&format!(r#","value":{json}"#)).value, kept, "{json}");
        }
        assert_eq!((with("").value, with("").kind), ("null".into(), "x".into()));
    }

    #[test]
    fn what_moves_by_itself_is_no_difference_and_everything_else_is() {
        let said = |more: &str| read(&format!(r#"{{"dev":"x","circuit":"1",{more}}}"#)).digest;
        let first = said(r#""value":1,"time":7,"lost":false"#);
        for same in [
            r#""lost":false,"value":1,"time":8"#,
            r#""value":1, "lost":false"#,
            r#""last_comm":3,"value":1,"lost":false"#,
        ] {
            assert_eq!(said(same), first, "{same}");
        }
        for other in
            [r#""value":2,"lost":false"#, r#""value":1,"lost":true"#, r#""value":1"#, r#""value":"1","lost":false"#]
        {
            assert_ne!(said(other), first, "{other}");
        }
    }
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_looks_like_a_device_is_read_short_and_plain_or_not_at_all(body in r#"\{("dev":|"circuit":|"alias":|"type":|"unit":|"value":|"last_comm":|"[a-z\\u0]{0,5}"|-?[0-9.e]{1,6}|null|[,:{}\[\]]){0,16}\}?"#) {
            if let Some(read) = Reading::of(&body) {
                let texts = [Some(&read.dev), Some(&read.circuit), read.name.as_ref(), Some(&read.kind), read.unit.as_ref()];
                for text in texts.into_iter().flatten() {
                    prop_assert!(text.chars().count() <= MAX_NAME_CHARS && !text.contains(char::is_control), "{:?}", text);
                }
                prop_assert!(serde_json::from_str::<Value>(&read.value).is_ok());
            }
        }
    }
}
