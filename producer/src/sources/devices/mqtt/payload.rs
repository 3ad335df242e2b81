//! What a message says of which device: pure.

use common::envelope::bare;
use serde_json::Value;

use super::{
    keys::{Make, Topic},
    topic::Parts,
    unipi,
};
use crate::{
    canonical,
    sources::devices::reading::{self, Reading},
};

/// A sensor's message is a few bytes; what is longer is no reading.
const LARGEST_PAYLOAD: usize = 64 * 1024;
const LONGEST_TOPIC: usize = 512;
/// Members that the topic tells.
const TOLD: [&str; 3] = ["dev", "circuit", "topic"];
/// What is no number, as Evok's neighbours in other languages write it.
const NO_NUMBERS: [(&str, &str); 3] = [("nan", "NaN"), ("infinity", "Infinity"), ("-infinity", "-Infinity")];

/// The readings of a message: of the first pattern that finds its topic; none when none does, or when the message is empty, by which a broker is told to
/// forget what it retained.
///
/// # Errors
/// Why it is no reading.
pub fn readings(topics: &[Topic], name: &str, payload: &[u8]) -> Result<Vec<Reading>, String> {
    let Some((topic, parts)) = topics.iter().find_map(|topic| Some((topic, topic.pattern.parts(name)?))) else {
        return Ok(Vec::new());
    };
    if payload.len() > LARGEST_PAYLOAD || name.len() > LONGEST_TOPIC {
        return Err(format!(
            "too long to be a reading: {} bytes, on a topic of {}; at most {LARGEST_PAYLOAD} and {LONGEST_TOPIC} are read",
            payload.len(),
            name.len()
        ));
    }
    let text = std::str::from_utf8(payload).map_err(|_| "the message is no text in UTF-8")?.trim();
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let is_json = text.starts_with(['{', '[']);
    if is_json && let Some(devices) = devices(topic, text)? {
        return Ok(devices);
    }
    match &topic.make {
        Make::Unipi(layout) => Ok(unipi::reading(layout, name, &parts, text).into_iter().collect()),
        Make::Plain { .. } => plain(topic, (name, &parts), &value(text)?).map(|reading| vec![reading]),
    }
}

/// Whatever says itself which device it is of, as Evok's objects do; `None`: it does not, or only a part of it is wanted.
fn devices(topic: &Topic, text: &str) -> Result<Option<Vec<Reading>>, String> {
    if matches!(&topic.make, Make::Plain { value: Some(_), .. }) {
        return Ok(None);
    }
    let devices = reading::parse(text).map_err(|error| format!("the message is not JSON: {error}"))?;
    Ok(Some(devices).filter(|devices| !devices.is_empty()))
}

/// JSON when it is that, else the text itself.
fn value(text: &str) -> Result<Value, String> {
    if let Some((_, word)) = NO_NUMBERS.iter().find(|(name, _)| text.eq_ignore_ascii_case(name)) {
        return Ok(Value::from(*word));
    }
    let quoted = bare::quoted(text).map(|quoted| quoted.text);
    match serde_json::from_str(quoted.as_deref().unwrap_or(text)) {
        Ok(value) => Ok(value),
        Err(error) if text.starts_with(['{', '[']) => Err(format!("the message is not JSON: {error}")),
        Err(_) => Ok(Value::from(text)),
    }
}

fn plain(topic: &Topic, (name, parts): (&str, &Parts<'_>), told: &Value) -> Result<Reading, String> {
    let Make::Plain { dev, circuit, value, unit } = &topic.make else { return Err("no plain topic".into()) };
    let member = |name: &str, json: &str| format!("{}: {json}", canonical::quoted(name));
    let [dev, circuit] = [dev, circuit].map(|template| canonical::quoted(&template.fill(name, parts)));
    let mut members = vec![member("dev", &dev), member("circuit", &circuit)];
    match (value, told) {
        (Some(pointer), _) => {
            let told = told.pointer(pointer).ok_or_else(|| format!("the message has nothing at {pointer}"))?;
            members.push(member("value", &told.to_string()));
        }
        (None, Value::Object(all)) => {
            let others = all.iter().filter(|(name, _)| !TOLD.contains(&name.as_str()));
            members.extend(others.map(|(name, told)| member(name, &told.to_string())));
        }
        (None, told) => members.push(member("value", &told.to_string())),
    }
    let has_unit = value.is_none() && told.get("unit").is_some();
    members.extend(unit.as_ref().filter(|_| !has_unit).map(|unit| member("unit", &canonical::quoted(unit))));
    members.push(member("topic", &canonical::quoted(name)));
    Reading::of(&format!("{{{}}}", members.join(", "))).ok_or_else(|| "the message is no reading".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(keys: &str, name: &str, payload: &str) -> Result<Vec<String>, String> {
        let topics = vec![serde_saphyr::from_str(keys).unwrap()];
        let readings = readings(&topics, name, payload.as_bytes())?;
        Ok(readings.into_iter().map(|reading| reading.object).collect())
    }

    #[test]
    fn a_message_becomes_a_reading() {
        let named = "{topic: \"u/{dev}/{circuit}/value\", unit: V}";
        let zigbee = "{topic: \"z/{name}\", dev: temp, circuit: \"{name}\", value: /temperature, unit: °C}";
        for (keys, name, payload, object) in [
            ("{topic: \"a/#\"}", "a/b", "21.5", r#"{"dev": "mqtt", "circuit": "a/b", "value": 21.5, "topic": "a/b"}"#),
            ("{topic: \"a/#\"}", "a/b", " on ", r#"{"dev": "mqtt", "circuit": "a/b", "value": "on", "topic": "a/b"}"#),
            ("{topic: \"a/#\"}", "a/b", "nan", r#"{"dev": "mqtt", "circuit": "a/b", "value": "NaN", "topic": "a/b"}"#),
            ("{topic: \"a/#\"}", "a/b", "true", r#"{"dev": "mqtt", "circuit": "a/b", "value": true, "topic": "a/b"}"#),
            (
                named,
                "u/ai/1_01/value",
                "2.7",
                r#"{"dev": "ai", "circuit": "1_01", "value": 2.7, "unit": "V", "topic": "u/ai/1_01/value"}"#,
            ),
            (
                named,
                "u/ai/1/value",
                r#"{"value": NaN, "unit": "mA", "dev": 7}"#,
                r#"{"dev": "ai", "circuit": "1", "unit": "mA", "value": "NaN", "topic": "u/ai/1/value"}"#,
            ),
            (
                named,
                "u/x/1/value",
                r#"{"dev": "di", "circuit": "1_01", "value": 1}"#,
                r#"{"dev": "di", "circuit": "1_01", "value": 1}"#,
            ),
            (
                zigbee,
                "z/hall",
                r#"{"dev": "a", "circuit": "b", "temperature": 19}"#,
                "{\"dev\": \"temp\", \"circuit\": \"hall\", \"value\": 19, \"unit\": \"\\u00b0C\", \"topic\": \"z/hall\"}",
            ),
        ] {
            assert_eq!(said(keys, name, payload), Ok(vec![object.to_owned()]), "{payload}");
        }
        let array = r#"[{"dev": "di", "circuit": "1", "value": 1}, {"dev": "di", "circuit": "2", "value": 0}]"#;
        assert_eq!(said(named, "u/a/b/value", array).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_reading_is_told_or_passed_over() {
        let topic = "{topic: \"a/+\", value: /x}";
        for (name, payload, error) in [
            ("a/b", "{\"x\"", "not JSON"),
            ("a/b", "{\"y\": 1}", "nothing at /x"),
            ("a/b", "[1", "not JSON"),
            ("a/b", &"x".repeat(70_000), "too long"),
        ] {
            assert!(said(topic, name, payload).unwrap_err().contains(error), "{error}");
        }
        assert_eq!((said(topic, "a/b", " "), said(topic, "other", "1")), (Ok(vec![]), Ok(vec![])));
        assert!(readings(&[serde_saphyr::from_str("{topic: \"#\"}").unwrap()], "a", &[0xff]).is_err());
    }
}
