//! `CloudEvents` 1.0 over HTTP in its three modes, each event as the JSON object of the structured mode.
//!
//! <https://github.com/cloudevents/spec/blob/main/cloudevents/bindings/http-protocol-binding.md>

mod attributes;

use std::{borrow::Cow, collections::HashMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, header};
use serde_json::{Map, Value, value::RawValue};

use super::{Limits, Refusal, broken, check_depth, split, utf8};

const SPEC_VERSION: HeaderName = HeaderName::from_static("ce-specversion");
const TYPE: HeaderName = HeaderName::from_static("ce-type");

/// How events lie in a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The attributes are headers, the body is the data.
    Binary,
    /// The body is an event.
    Structured,
    /// The body is an array of events.
    Batched,
}

/// An event as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CloudEvent<'a> {
    /// The same for every repeat of the event: `id` and `source` together are unique.
    pub key: String,
    pub body: Cow<'a, str>,
}

/// The mode of the request; `None`: it is no such event.
#[must_use]
pub fn mode(headers: &HeaderMap) -> Option<Mode> {
    let kind = content_type(headers);
    let is = |prefix: &str| kind.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    if is("application/cloudevents-batch") {
        return Some(Mode::Batched);
    }
    if is("application/cloudevents") {
        return Some(Mode::Structured);
    }
    (headers.contains_key(SPEC_VERSION) || headers.contains_key(TYPE)).then_some(Mode::Binary)
}

fn content_type(headers: &HeaderMap) -> &str {
    headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default()
}

/// The events of a request of that mode.
///
/// # Errors
/// Names the attribute that is wrong, or says what is wrong with the body.
pub fn read<'a>(
    mode: Mode,
    headers: &HeaderMap,
    body: &'a [u8],
    limits: Limits,
) -> Result<Vec<CloudEvent<'a>>, Refusal> {
    if mode == Mode::Binary {
        return Ok(vec![binary(headers, body, limits)?]);
    }
    let is_list = utf8(body)?.trim_ascii_start().starts_with('[');
    let problem = match (mode, is_list) {
        (Mode::Structured, true) => Some("application/cloudevents+json holds one event, not a list of them"),
        (Mode::Batched, false) => Some("application/cloudevents-batch+json holds a list of events"),
        _ => None,
    };
    if let Some(problem) = problem {
        return Err(Refusal::Attribute { name: "Content-Type".into(), problem });
    }
    let events = split(body, limits)?;
    if mode == Mode::Structured && events.len() > 1 {
        let problem = "application/cloudevents+json holds one event, not one a line";
        return Err(Refusal::Attribute { name: "Content-Type".into(), problem });
    }
    events.into_iter().map(structured).collect()
}

fn structured(body: Cow<'_, str>) -> Result<CloudEvent<'_>, Refusal> {
    if !body.starts_with('{') {
        return Err(Refusal::NotAnEvent);
    }
    let members: HashMap<Cow<str>, &RawValue> = serde_json::from_str(&body).map_err(|error| broken(&body, &error))?;
    let mut attributes = Map::new();
    for (name, value) in &members {
        // Null is the same as absent.
        if !matches!(&**name, "data" | "data_base64") && value.get() != "null" {
            let value = serde_json::from_str(value.get()).map_err(|error| broken(&body, &error))?;
            attributes.insert(name.clone().into_owned(), value);
        }
    }
    let key = attributes::check(&attributes)?;
    if let Some(encoded) = members.get("data_base64").filter(|value| value.get() != "null") {
        let bytes = serde_json::from_str::<String>(encoded.get()).ok().and_then(|text| STANDARD.decode(text).ok());
        if members.contains_key("data") || bytes.is_none() {
            return Err(attributes::wrong("data_base64", "is Base64, and there is no data beside it"));
        }
    }
    Ok(CloudEvent { key, body })
}

/// The headers and the body as one object.
fn binary(headers: &HeaderMap, body: &[u8], limits: Limits) -> Result<CloudEvent<'static>, Refusal> {
    let mut attributes = attributes::of_headers(headers)?;
    let kind = content_type(headers);
    if !kind.is_empty() {
        attributes.insert("datacontenttype".into(), kind.into());
    }
    let key = attributes::check(&attributes)?;
    let mut text = Value::Object(attributes).to_string();
    if let Some((member, value)) = data(kind, body, limits)? {
        text.pop();
        text = format!("{text},\"{member}\":{value}}}");
    }
    Ok(CloudEvent { key, body: text.into() })
}

/// The member that holds the body, and its JSON; `None`: there is no body.
fn data(kind: &str, body: &[u8], limits: Limits) -> Result<Option<(&'static str, String)>, Refusal> {
    if body.is_empty() {
        return Ok(None);
    }
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_json = kind.ends_with("/json") || kind.ends_with("+json");
    if is_json || (kind.is_empty() && serde_json::from_slice::<&RawValue>(body).is_ok()) {
        let text = utf8(body)?;
        check_depth(text, limits.max_depth)?;
        let value: &RawValue = serde_json::from_str(text).map_err(|error| broken(text, &error))?;
        return Ok(Some(("data", value.get().to_owned())));
    }
    let is_text = kind.starts_with("text/")
        || kind.ends_with("/xml")
        || kind.ends_with("+xml")
        || kind == "application/x-www-form-urlencoded";
    Ok(Some(match std::str::from_utf8(body) {
        Ok(text) if is_text => ("data", Value::from(text).to_string()),
        _ => ("data_base64", Value::from(STANDARD.encode(body)).to_string()),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_events: 3, max_depth: 8 };
    const HEAD: [(&str, &str); 4] =
        [("ce-specversion", "1.0"), ("ce-id", "A234"), ("ce-source", "/mycontext"), ("ce-type", "com.example.some")];

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        pairs.iter().map(pair).collect()
    }

    fn sent(more: &[(&str, &str)], body: &[u8]) -> Result<Value, Refusal> {
        let headers = headers(&[&HEAD[..], more].concat());
        assert_eq!(mode(&headers), Some(Mode::Binary));
        read(Mode::Binary, &headers, body, LIMITS).map(|events| serde_json::from_str(&events[0].body).unwrap())
    }

    fn name(refusal: Result<impl std::fmt::Debug, Refusal>) -> String {
        match refusal.unwrap_err() {
            Refusal::Attribute { name, .. } => name,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_body_of_a_binary_event_is_its_data_by_its_type() {
        let cases: [(&str, &[u8], Value); 7] = [
            ("application/json; charset=utf-8", b"{\"a\": 1}", serde_json::json!({"data": {"a": 1}})),
            ("application/vnd.x+json", b"\"just a text\"", serde_json::json!({"data": "just a text"})),
            ("application/xml", b"<much wow=\"xml\"/>", serde_json::json!({"data": "<much wow=\"xml\"/>"})),
            ("text/plain", b"a", serde_json::json!({"data": "a"})),
            ("text/plain", b"\xff", serde_json::json!({"data_base64": "/w=="})),
            ("application/octet-stream", b"abc", serde_json::json!({"data_base64": "YWJj"})),
            ("text/plain", b"", serde_json::json!({})),
        ];
        for (kind, body, expected) in cases {
            let event = sent(&[("content-type", kind), ("ce-comexample", "5")], body).unwrap();
            let mut whole = serde_json::json!({"specversion": "1.0", "id": "A234", "source": "/mycontext", "type": "com.example.some",
                "datacontenttype": kind, "comexample": "5"});
            whole.as_object_mut().unwrap().extend(expected.as_object().unwrap().clone());
            assert_eq!(event, whole, "{kind}");
        }
    }

    #[test]
    fn headers_are_read_as_the_binding_says() {
        // The binding's own example, and what older senders write.
        let cases = [("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"), (r#""a \"b\" c""#, "a \"b\" c"), ("%41", "A")];
        for (value, expected) in cases {
            assert_eq!(sent(&[("ce-subject", value)], b"").unwrap()["subject"], expected, "{value}");
        }
        // An overlong blank.
        assert_eq!(name(sent(&[("ce-subject", "%C0%A0")], b"")), "subject");
    }

    #[test]
    fn an_attribute_that_is_wrong_is_named() {
        let cases = [("ce-time", "yesterday", "time"), ("ce-datacontenttype", "text/plain", "datacontenttype")];
        for (header, value, expected) in cases {
            assert_eq!(name(sent(&[(header, value)], b"")), expected);
        }
        for missing in 0..HEAD.len() {
            let mut head = HEAD.to_vec();
            let (header, _) = head.remove(missing);
            let refused = read(Mode::Binary, &headers(&head), b"", LIMITS);
            assert_eq!(format!("ce-{}", name(refused)), header);
        }
        let good = r#""specversion":"1.0","id":"1","source":"/a","type":"t""#;
        let cases = [
            (r#"{"specversion":"0.3","id":"1","source":"/a","type":"t"}"#.to_owned(), "specversion"),
            (r#"{"specversion":"1.0","id":"","source":"/a","type":"t"}"#.to_owned(), "id"),
            (r#"{"specversion":"1.0","id":7,"source":"/a","type":"t"}"#.to_owned(), "id"),
            (r#"{"specversion":"1.0","id":"1","source":"a b","type":"t"}"#.to_owned(), "source"),
            (r#"{"specversion":"1.0","id":"1","source":"/a","type":null}"#.to_owned(), "type"),
            (format!(r#"{{{good},"time":"2018"}}"#), "time"),
            (format!(r#"{{{good},"my_extension":"x"}}"#), "my_extension"),
            (format!(r#"{{{good},"extension":{{}}}}"#), "extension"),
            (format!(r#"{{{good},"data_base64":"?"}}"#), "data_base64"),
            (format!(r#"{{{good},"data_base64":"YQ==","data":1}}"#), "data_base64"),
        ];
        for (body, expected) in cases {
            let refused = read(Mode::Structured, &HeaderMap::new(), body.as_bytes(), LIMITS);
            assert_eq!(name(refused), expected, "{body}");
        }
    }

    #[test]
    fn events_come_alone_or_in_a_list_as_the_content_type_says() {
        let event = |id: &str| {
            format!(
                r#"{{"specversion":"1.0","id":"{id}","source":"/a","type":"t","subject":null,"n":5,"data":[null]}}"#
            )
        };
        let kind = |kind: &str| mode(&headers(&[("content-type", kind)]));
        assert_eq!(kind("application/cloudevents+json; charset=UTF-8"), Some(Mode::Structured));
        assert_eq!(kind("Application/CloudEvents-Batch+JSON"), Some(Mode::Batched));
        assert_eq!(kind("application/json"), None);
        let read = |mode, body: &str| {
            let events = read(mode, &HeaderMap::new(), body.as_bytes(), LIMITS);
            events.map(|events| {
                events.iter().map(|event| (event.key.clone(), event.body.to_string())).collect::<Vec<_>>()
            })
        };
        let list = format!("[{},{}]", event("1"), event("2"));
        let [one, two] = &read(Mode::Batched, &list).unwrap()[..] else { panic!() };
        assert_eq!((&one.1, &two.1), (&event("1"), &event("2")), "as they were sent");
        assert_ne!(one.0, two.0);
        assert_eq!(read(Mode::Structured, &event("1")).unwrap()[0].0, one.0, "a repeat is known");
        assert!(read(Mode::Batched, "[]").unwrap().is_empty());
        assert_eq!(name(read(Mode::Structured, &list)), "Content-Type");
        assert_eq!(name(read(Mode::Batched, &event("1"))), "Content-Type");
        assert_eq!(name(read(Mode::Structured, &format!("{}\n{}", event("1"), event("2")))), "Content-Type");
        assert_eq!(read(Mode::Batched, "[7]").unwrap_err(), Refusal::NotAnEvent);
    }
}
