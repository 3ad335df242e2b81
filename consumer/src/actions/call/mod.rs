//! What a call says, in all the spellings that are in use: by header and JSON body, by a link with a payload in Base64, or by a link with an event id.

use base64::{
    Engine,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use crate::event_id::{check_event_id, is_plain};

const MAX_TEXT_CHARS: usize = 256;
const MAX_VALUE_BYTES: usize = 4096;

/// Padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    pub event_id: String,
    pub sensor_data: Option<SensorData>,
    /// Only say whom it would reach.
    pub dry_run: bool,
}

/// What a sensor says, for the function that hands it on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SensorData {
    pub id: String,
    pub event: String,
    #[serde(default)]
    pub value: Value,
}

#[derive(Deserialize)]
struct Body {
    #[serde(alias = "eventId")]
    event_id: Option<String>,
    #[serde(alias = "sensorData")]
    sensor_data: Option<SensorData>,
    #[serde(alias = "dryRun", default)]
    dry_run: bool,
}

/// The key in a query, if one is there: `api_key` or `apiKey`.
#[must_use]
pub fn key_in(query: &str) -> Option<String> {
    parameter(query, &["api_key", "apiKey"])
}

/// Reads the body of a `POST`.
///
/// # Errors
/// Says what to change.
pub fn from_body(body: &[u8]) -> Result<Call, String> {
    // The elements of an array would be read as members, in their order.
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let read = is_object.then(|| serde_json::from_slice::<Body>(body));
    let body =
        read.ok_or_else(|| "it is no JSON object".to_owned()).and_then(|read| read.map_err(|error| error.to_string()));
    let body = body.map_err(|error| format!("The body is a JSON object such as {{\"event_id\": \"…\"}}: {error}."))?;
    check(Call { event_id: body.event_id.unwrap_or_default(), sensor_data: body.sensor_data, dry_run: body.dry_run })
}

/// Reads the query of a `GET`: `payload`, or in the oldest form `eventId`.
///
/// # Errors
/// Says what to change.
pub fn from_query(query: &str) -> Result<Call, String> {
    let dry_run =
        parameter(query, &["dry_run", "dryRun"]).is_some_and(|said| matches!(said.as_str(), "" | "1" | "true"));
    let call = match (parameter(query, &["payload"]), parameter(query, &["event_id", "eventId"])) {
        (Some(payload), _) => from_body(&decode(&payload)?).map_err(|error| format!("payload: {error}"))?,
        (None, Some(event_id)) => check(Call { event_id, sensor_data: None, dry_run: false })?,
        (None, None) => {
            return Err("Say what to do: payload, the Base64 of {\"event_id\": \"…\"}, URL-encoded; or eventId.".into());
        }
    };
    Ok(Call { dry_run: dry_run || call.dry_run, ..call })
}

fn parameter(query: &str, names: &[&str]) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    pairs.find(|(name, _)| names.contains(&&**name)).map(|(_, value)| value.into_owned())
}

/// Both alphabets; a `+` that was not URL-encoded arrives as a blank.
fn decode(payload: &str) -> Result<Vec<u8>, String> {
    let one_alphabet = |letter: char| match letter {
        '-' | ' ' => '+',
        '_' => '/',
        letter => letter,
    };
    let standard: String = payload.trim().chars().map(one_alphabet).collect();
    BASE64.decode(standard).map_err(|error| {
        format!("payload is no Base64: {error}. Encode the JSON object first in Base64, then for a URL.")
    })
}

fn check(call: Call) -> Result<Call, String> {
    check_event_id(&call.event_id)?;
    call.sensor_data.as_ref().map_or(Ok(()), check_sensor)?;
    Ok(call)
}

/// # Errors
/// Says what a sensor may say.
pub fn check_sensor(data: &SensorData) -> Result<(), String> {
    for (name, text) in [("id", &data.id), ("event", &data.event)] {
        if text.trim().is_empty() || !is_plain(text, MAX_TEXT_CHARS) {
            return Err(format!("sensor_data.{name} is a text of 1 to {MAX_TEXT_CHARS} characters."));
        }
    }
    if data.value.to_string().len() > MAX_VALUE_BYTES || data.value.to_string().contains("\\u0000") {
        return Err(format!("sensor_data.value has at most {MAX_VALUE_BYTES} bytes, and no NUL."));
    }
    Ok(())
}

#[cfg(test)]
mod fuzz;

#[cfg(test)]
mod tests {
    use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

    use super::*;

    fn call(event_id: &str) -> Call {
        Call { event_id: event_id.into(), sensor_data: None, dry_run: false }
    }

    #[test]
    fn both_alphabets_are_read_padded_or_not_and_with_blanks_for_plus() {
        // These letters make both - + and _ / in Base64.
        let json = r#"{"event_id":"a~?>ü>>?"}"#;
        for engine in [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD] {
            let payload = engine.encode(json);
            let encoded: String = form_urlencoded::byte_serialize(payload.as_bytes()).collect();
            for payload in [encoded, payload] {
                assert_eq!(from_query(&format!("api_key=k&payload={payload}")), Ok(call("a~?>ü>>?")), "{payload}");
            }
        }
    }

    #[test]
    fn names_have_two_spellings() {
        assert_eq!(from_query("eventId=a%20b&apiKey=k"), Ok(call("a b")));
        assert_eq!(from_query("event_id=a&api_key=k"), Ok(call("a")));
        assert_eq!(from_body(br#" {"eventId":"a","more":1}"#), Ok(call("a")));
        assert_eq!(from_query("eventId=a&dry_run=1"), Ok(Call { dry_run: true, ..call("a") }));
        assert_eq!(
            (key_in("a=1&apiKey=x%2B"), key_in("api_key=y"), key_in("key=z")),
            (Some("x+".into()), Some("y".into()), None)
        );
    }

    #[test]
    fn a_sensor_says_its_id_its_event_and_any_value() {
        for value in [r#""21""#, "21.5", "null", "true"] {
            let body = format!(r#"{{"sensor_data":{{"id":"s","event":"e","value":{value}}},"event_id":"a"}}"#);
            let data = from_body(body.as_bytes()).unwrap().sensor_data.unwrap();
            assert_eq!((data.id.as_str(), data.event.as_str(), data.value.to_string().as_str()), ("s", "e", value));
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_what_to_change() {
        for (query, said) in [
            ("api_key=k", "payload"),
            ("payload=***", "no Base64"),
            ("payload=bm90IGpzb24", "JSON object"),
            ("payload=W10", "no JSON object"),
            ("payload=e30", "event_id is missing"),
            ("eventId=", "event_id is missing"),
            ("eventId=a%0Ab", "control character"),
            ("eventId=%20a", "blank"),
        ] {
            let error = from_query(query).unwrap_err();
            assert!(error.contains(said), "{query}: {error}");
        }
        let long = format!(r#"{{"event_id":"{}"}}"#, "a".repeat(129));
        let nameless = br#"{"event_id":"a","sensor_data":{"id":" ","event":"e"}}"#;
        for body in [long.as_bytes(), nameless, br#"{"event_id":"a","sensor_data":{"event":"e"}}"#, br#"["a"]"#, b""] {
            assert!(from_body(body).is_err());
        }
    }
}
