//! What its owner chooses for a subscription.

use http::{HeaderName, HeaderValue};
use serde_json::Value;

use crate::{
    filter::Filter,
    store::subscriptions::{Options, Profile},
};

pub const FASTEST_PER_MINUTE: i64 = 600_000;
const MOST_HEADERS: usize = 20;
const LONGEST_HEADER: usize = 1024;
/// What every delivery says itself.
const OURS: [&str; 9] = [
    "accept",
    "accept-encoding",
    "connection",
    "content-length",
    "content-type",
    "event",
    "host",
    "transfer-encoding",
    "user-agent",
];

/// The options with one of them set.
///
/// # Errors
/// Names the option, and says what to write.
pub fn changed(options: Options, (name, value): (String, Value)) -> Result<Options, String> {
    let bad = |how: &str| format!("{name}: {how}");
    Ok(match (name.as_str(), &value) {
        ("profile", Value::Null) => Options { profile: Profile::PyWebhooks, ..options },
        ("profile", value) => {
            let profile = value.as_str().and_then(Profile::named);
            Options { profile: profile.ok_or_else(|| bad("write pywebhooks, standard or bare"))?, ..options }
        }
        ("fifo", value) => {
            let fifo = if value.is_null() { Some(false) } else { value.as_bool() };
            Options { fifo: fifo.ok_or_else(|| bad("write true or false"))?, ..options }
        }
        ("rate_per_minute", value) => {
            let rate = if value.is_null() { Some(0) } else { value.as_i64() };
            let rate = rate.filter(|rate| (0..=FASTEST_PER_MINUTE).contains(rate));
            let how = || bad(&format!("write a whole number from 0 (no limit) to {FASTEST_PER_MINUTE}"));
            Options { rate_per_minute: rate.ok_or_else(how)?, ..options }
        }
        ("filter", Value::Null) => Options { filter: None, ..options },
        ("filter", value) => {
            let text = value.to_string();
            Filter::parse(&text).map_err(|how| bad(&how))?;
            Options { filter: Some(text), ..options }
        }
        ("headers", Value::Null) => Options { headers: None, ..options },
        ("headers", value) => {
            check_headers(value).map_err(|how| bad(&how))?;
            Options { headers: Some(value.to_string()), ..options }
        }
        _ => return Err(bad("there is no such option; there are profile, fifo, rate_per_minute, filter and headers")),
    })
}

fn check_headers(value: &Value) -> Result<(), String> {
    let headers = value.as_object().ok_or("write an object, name to value")?;
    if headers.len() > MOST_HEADERS {
        return Err(format!("at most {MOST_HEADERS}"));
    }
    for (name, value) in headers {
        let read = name.parse::<HeaderName>().map_err(|_| format!("{name:?} cannot be the name of a header"))?;
        let is_ours = OURS.contains(&read.as_str())
            || read.as_str().starts_with("webhook-")
            || read.as_str().starts_with("pywebhooks-");
        if is_ours {
            return Err(format!("{name} is set by every delivery itself"));
        }
        let value =
            value.as_str().filter(|value| value.len() <= LONGEST_HEADER && HeaderValue::from_str(value).is_ok());
        value.ok_or_else(|| format!("{name}: write a text of at most {LONGEST_HEADER} plain characters"))?;
    }
    Ok(())
}
