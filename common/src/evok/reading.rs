//! One device's object as it was read, and the text it is sent as.

use serde_json::{Map, Value, value::RawValue};

use crate::{device::CLOCKS, envelope::bare};

/// What one device says.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    pub dev: String,
    pub circuit: String,
    /// A number, most often; the texts `NaN`, `Infinity` and `-Infinity` where it is none; null where the device has no value.
    pub value: Value,
    /// Everything else that counts as a change.
    pub rest: Map<String, Value>,
    /// The JSON text of the whole object, as the device wrote it.
    pub object: String,
}

impl Reading {
    /// Reads an object; `None`: it names no device, as it has no texts `dev` and `circuit`.
    #[must_use]
    pub fn of(object: &str) -> Option<Self> {
        let mut rest: Map<String, Value> = serde_json::from_str(object).ok()?;
        let text = |rest: &Map<String, Value>, name: &str| rest.get(name)?.as_str().map(str::to_owned);
        let (dev, circuit) = (text(&rest, "dev")?, text(&rest, "circuit")?);
        let value = rest.remove("value").unwrap_or(Value::Null);
        for clock in CLOCKS {
            rest.remove(clock);
        }
        Some(Self { dev, circuit, value, rest, object: object.to_owned() })
    }

    /// With one member more at the end of its object; the value is a JSON text.
    #[must_use]
    pub fn with(mut self, name: &str, json: &str) -> Self {
        self.object = with_member(&self.object, name, json);
        self.rest.insert(name.to_owned(), serde_json::from_str(json).unwrap_or(Value::Null));
        self
    }

    #[must_use]
    pub fn number(&self) -> Option<f64> {
        self.value.as_f64()
    }
}

/// The JSON object with one member more at its end.
#[must_use]
pub fn with_member(object: &str, name: &str, json: &str) -> String {
    let head = object.trim_end().strip_suffix('}').unwrap_or(object).trim_end();
    let comma = if head.ends_with('{') { "" } else { ", " };
    format!("{head}{comma}\"{name}\": {json}}}")
}

/// Reads a message of Evok: an array of devices, or a bare one. What in it is no device is left out.
///
/// # Errors
/// When it is not JSON even after bare `NaN` and `Infinity` were made texts.
pub fn parse(message: &str) -> Result<Vec<Reading>, serde_json::Error> {
    let quoted = bare::quoted(message).map(|quoted| quoted.text);
    let message = quoted.as_deref().unwrap_or(message);
    let objects: Vec<&RawValue> = if message.trim_start().starts_with('[') {
        serde_json::from_str(message)?
    } else {
        vec![serde_json::from_str(message)?]
    };
    Ok(objects.into_iter().filter_map(|object| Reading::of(object.get())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_an_array_or_a_bare_device_and_keeps_its_text() {
        let object = r#"{"dev": "temp", "circuit": "28", "value": 6.1, "lost": false, "time": 1221.29}"#;
        let bare = parse(object).unwrap();
        assert_eq!(bare, parse(&format!("[{object}, 7, {{\"x\": 1}}]")).unwrap());
        assert_eq!((bare[0].object.as_str(), bare[0].number()), (object, Some(6.1)));
        assert!(bare[0].rest.contains_key("lost") && !bare[0].rest.contains_key("time"));
        let nan = parse(r#"{"dev": "ai", "circuit": "1", "value": NaN}"#).unwrap();
        assert_eq!((nan[0].value.as_str(), nan[0].number()), (Some("NaN"), None));
        assert!(parse("[{").is_err() && parse("oops").is_err());
    }

    #[test]
    fn a_member_is_added_at_the_end() {
        assert_eq!(with_member(r#"{"a": 1}"#, "b", "2"), r#"{"a": 1, "b": 2}"#);
        assert_eq!(with_member("{}", "b", "2"), r#"{"b": 2}"#);
    }
}
