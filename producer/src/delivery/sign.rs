//! The headers of a webhook for an account: what names its event, what signs it, and what the subscription adds.

use common::{seal::Vault, signature};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde_json::{Map, Value};

use super::answer::{Answer, Meaning};
use crate::store::queue::Claimed;

/// The most that is kept of an attempt's headers.
const KEPT_BYTES: usize = 8 * 1024;
/// A header with one of these in its name is shown without its value, and stays behind when another host is redirected to.
const SECRET_NAMES: [&str; 6] = ["authorization", "cookie", "token", "secret", "key", "password"];
/// What a subscription cannot set: it belongs to the connection, or to us.
const OURS: [HeaderName; 10] = [
    HeaderName::from_static("event"),
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::EXPECT,
    header::HOST,
    header::TE,
    header::TRAILER,
    header::TRANSFER_ENCODING,
    header::UPGRADE,
    header::USER_AGENT,
];

/// The headers of the delivery as it is sent at `timestamp_s`; `custom` is the JSON object of its subscription.
///
/// `Err`: nothing is sent, for the reason the answer tells.
pub fn headers(
    vault: &Vault,
    (claimed, account): (&Claimed, &str),
    custom: Option<&str>,
    timestamp_s: i64,
) -> Result<HeaderMap, Box<Answer>> {
    let event = event(claimed.event.as_deref()).map_err(|why| {
        let detail = format!("not sent: the event's name {why}, so that it cannot be a header. Register it anew");
        Box::new(Answer::failed(Meaning::Later, "event", detail))
    })?;
    let open = |sealed: &Option<String>| sealed.as_deref().and_then(|sealed| vault.open(sealed, account));
    let secret = open(&claimed.secret).ok_or_else(|| {
        let detail = "not sent: the account's key cannot be opened. SECRET_KEY was changed: set it back, or reset the account's secret key";
        Box::new(Answer::failed(Meaning::Later, "secret", detail))
    })?;
    let mut headers = custom.map(custom_headers).unwrap_or_default();
    let json = HeaderValue::from_static("application/json");
    headers.insert(header::ACCEPT, json.clone());
    headers.insert(header::CONTENT_TYPE, json);
    headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip, deflate"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("keep-alive"));
    headers.insert("webhook-timestamp", timestamp_s.into());
    let body = &claimed.body;
    let sign = |secret: &String| signature::sign(secret.as_bytes(), claimed.webhook_id(), timestamp_s, body);
    let signatures: Vec<String> =
        [Some(secret.clone()), open(&claimed.other_secret)].iter().flatten().map(sign).collect();
    let texts = [
        ("webhook-id", claimed.webhook_id().to_owned()),
        ("webhook-signature", signatures.join(" ")),
        ("pywebhooks-signature", signature::sign_sha1(secret.as_bytes(), body)),
    ];
    for (name, text) in texts {
        headers.insert(name, HeaderValue::try_from(text).expect("ids and signatures are ASCII"));
    }
    if let Some(event) = event {
        headers.insert("event", event);
    }
    Ok(headers)
}

/// The event's name as `PyWebhooks`' HTTP library sends it: in Latin-1, nothing for none. `Err` says why that cannot be.
fn event(json: Option<&str>) -> Result<Option<HeaderValue>, &'static str> {
    let name = match json.map(serde_json::from_str) {
        None | Some(Ok(Value::Null)) => return Ok(None),
        Some(Ok(Value::String(name))) => name,
        Some(_) => return Err("is not a text"),
    };
    if name.starts_with(|char: char| char.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&char)) {
        return Err("begins with a blank");
    }
    let latin1: Option<Vec<u8>> = name.chars().map(|char| u8::try_from(u32::from(char)).ok()).collect();
    let latin1 = latin1.ok_or("has a letter outside Latin-1")?;
    let value = HeaderValue::from_bytes(&latin1).map_err(|_| "has a line break or another control character")?;
    Ok(Some(value).filter(|value| !value.is_empty()))
}

/// Those that can be sent and are not ours.
fn custom_headers(json: &str) -> HeaderMap {
    let given: Map<String, Value> = serde_json::from_str(json).unwrap_or_default();
    let usable = given.iter().filter_map(|(name, value)| {
        let name: HeaderName = name.parse().ok()?;
        Some((name, HeaderValue::from_str(value.as_str()?).ok()?))
    });
    usable.filter(|(name, _)| !OURS.contains(name)).collect()
}

/// Whether the value of a header of this name is nobody else's business.
pub fn is_secret(name: &HeaderName) -> bool {
    SECRET_NAMES.iter().any(|part| name.as_str().contains(part))
}

/// As they are kept: a JSON array of pairs, without the values that are secret; what is too much is left out.
pub fn kept(headers: &HeaderMap) -> String {
    let mut text = String::from("[");
    for (name, value) in headers {
        let value = if is_secret(name) { "•••".to_owned() } else { latin1(value.as_bytes()) };
        let pair = serde_json::json!([name.as_str(), value]).to_string();
        if text.len() + pair.len() + 2 > KEPT_BYTES {
            break;
        }
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str(&pair);
    }
    text + "]"
}

fn latin1(bytes: &[u8]) -> String {
    std::str::from_utf8(bytes).map_or_else(|_| bytes.iter().copied().map(char::from).collect(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_events_name_is_a_header_in_latin_1_or_nothing_is_sent() {
        let sent = |json| event(Some(json)).map(|value| value.map(|value| value.as_bytes().to_vec()));
        assert_eq!(event(None), Ok(None));
        for none in ["null", "\"\""] {
            assert_eq!(sent(none), Ok(None), "{none}");
        }
        assert_eq!(sent("\"ev.t\""), Ok(Some(b"ev.t".to_vec())));
        assert_eq!(sent("\"café\""), Ok(Some(b"caf\xe9".to_vec())));
        for refused in ["5", "[]", r#""a\r\nb""#, r#"" a""#, r#""\ta""#, "\"zoë 😀\"", r#""a\u0000""#] {
            assert!(sent(refused).is_err(), "{refused}");
        }
    }

    #[test]
    fn a_subscriptions_headers_are_kept_without_their_secrets_and_without_ours() {
        let headers =
            custom_headers(r#"{"X-Api-Key":"a","x-place":"b","Host":"c","bad name":"d","x-number":5,"event":"e"}"#);
        assert_eq!(kept(&headers).len(), r#"[["x-api-key","•••"],["x-place","b"]]"#.len());
        assert!(kept(&headers).contains(r#"["x-api-key","•••"]"#));
        let many: HeaderMap = (0..200)
            .map(|n| (format!("x-{n}").parse().unwrap(), HeaderValue::from_str(&"v".repeat(100)).unwrap()))
            .collect();
        let kept = kept(&many);
        assert!(kept.len() <= KEPT_BYTES && serde_json::from_str::<Value>(&kept).is_ok());
    }
}
