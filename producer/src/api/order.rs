//! What a producer's form or JSON may ask for, checked field by field.

use std::time::Duration;

use axum::{
    body::Bytes,
    http::{HeaderMap, header},
};
use common::{config::parse_duration, problem::Problem};
use serde_json::{Map, Value};
use url::Url;
use utoipa::ToSchema;

use crate::{
    App,
    receiver::{HARDWARE, below},
    sources::{
        devices::hardware,
        fake::{self, Weights},
    },
};

const FIELDS: [&str; 6] = ["source", "count", "wait", "seed", "to", "weights"];
/// What only tasks have that are made up.
const MADE_UP: [&str; 3] = ["count", "seed", "weights"];
const LONGEST_WAIT: Duration = Duration::from_hours(24);
const LONGEST_URL: usize = 2048;

/// A batch to produce; every field may be left out or empty.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "it describes the body; the fields are read one by one, so that each problem names its own"
)]
pub struct NewBatch {
    /// `tasks` that are made up, or `hardware`: a reading of every device, now. Left out: `tasks`. Readings have no `count`, `seed` and `weights`.
    source: Option<String>,
    /// Number of tasks; left out: a random one within the service's settings, drawn from `seed` when that is given.
    #[schema(minimum = 1, maximum = 100_000)]
    count: Option<u32>,
    /// Time between two tasks: seconds (`1`, `0.5`) or with a unit (`200ms`); 0: as fast as the receiver takes them, as readings go unless told.
    wait: Option<String>,
    /// The same seed gives the same tasks.
    seed: Option<u64>,
    /// Where the tasks are posted to; left out: `WEBHOOK_RECEIVER_URL`, readings to `/hardware` below it.
    to: Option<String>,
    /// How often each priority is drawn: `4,3,2,1` (Low, Moderate, Major, Critical), `Low=4,Critical=1`, or the same as JSON array or object.
    weights: Option<String>,
}

/// What is to be sent.
pub enum Order {
    Tasks(fake::Order),
    Hardware(hardware::Order),
}

/// Reads the order; what is missing comes from the settings.
pub fn read(app: &App, headers: &HeaderMap, body: &Bytes) -> Result<Order, Problem> {
    let fields = fields(headers, body)?;
    match fields.get("source").filter(|value| !is_empty(value)).map(Value::as_str) {
        None | Some(Some("tasks")) => tasks(app, &fields).map(Order::Tasks),
        Some(Some("hardware")) => readings(app, &fields).map(Order::Hardware),
        Some(_) => Err(bad("source", "write tasks or hardware")),
    }
}

fn readings(app: &App, fields: &Map<String, Value>) -> Result<hardware::Order, Problem> {
    let get = |name: &str| fields.get(name).filter(|value| !is_empty(value));
    if let Some(name) = MADE_UP.into_iter().find(|name| get(name).is_some()) {
        return Err(bad(name, "only tasks that are made up have it; leave it empty for hardware"));
    }
    let wait = get("wait").map(|value| wait(value).map_err(|detail| bad("wait", &detail))).transpose()?;
    let to = get("to").map(|value| to(app, value).map_err(|detail| bad("to", &detail))).transpose()?;
    let usual = || below(&app.settings.webhook_receiver_url, HARDWARE);
    Ok(hardware::Order { wait: wait.unwrap_or_default(), to: to.unwrap_or_else(usual) })
}

fn tasks(app: &App, fields: &Map<String, Value>) -> Result<fake::Order, Problem> {
    let get = |name: &str| fields.get(name).filter(|value| !is_empty(value));
    let settings = &app.settings;
    let seed = get("seed").map(|value| seed(value).map_err(|detail| bad("seed", &detail))).transpose()?;
    let count = match get("count") {
        Some(value) => count(value, settings.max_batch).map_err(|detail| bad("count", &detail))?,
        None => fake::draw_count(seed, settings.min_nbr_tasks..=settings.max_nbr_tasks),
    };
    let wait = get("wait").map(|value| wait(value).map_err(|detail| bad("wait", &detail))).transpose()?;
    let to = get("to").map(|value| to(app, value).map_err(|detail| bad("to", &detail))).transpose()?;
    let weights =
        get("weights").map(|value| Weights::from_json(value).map_err(|detail| bad("weights", &detail))).transpose()?;
    Ok(fake::Order {
        count,
        wait: wait.unwrap_or(settings.wait_time),
        seed: seed.or(settings.seed).unwrap_or(0),
        to: to.unwrap_or_else(|| settings.webhook_receiver_url.clone()),
        weights: weights.unwrap_or_default(),
    })
}

fn bad(field: &str, detail: &str) -> Problem {
    Problem::bad_request(format!("{field}: {detail}.")).with("field", field)
}

fn is_empty(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| text.trim().is_empty())
}

/// The fields of a JSON object or of a form; JSON is told by its Content-Type, or by its first character: `curl -d` calls everything a form.
fn fields(headers: &HeaderMap, body: &Bytes) -> Result<Map<String, Value>, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let fields: Map<String, Value> = if kind.contains("json") || body.trim_ascii_start().starts_with(b"{") {
        serde_json::from_slice(body)
            .map_err(|error| Problem::bad_request(format!("The body is not a JSON object: {error}.")))?
    } else {
        let pairs = url::form_urlencoded::parse(body);
        pairs.map(|(name, value)| (name.into_owned(), Value::String(value.into_owned()))).collect()
    };
    match fields.keys().find(|name| !FIELDS.contains(&name.as_str())) {
        Some(unknown) => Err(bad(unknown, &format!("there is no such field; the fields are {}", FIELDS.join(", ")))),
        None => Ok(fields),
    }
}

/// A number as such or as text.
fn number<T: std::str::FromStr>(value: &Value) -> Option<T> {
    match value {
        Value::Number(number) => number.to_string().parse().ok(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn count(value: &Value, most: usize) -> Result<usize, String> {
    let count: Option<usize> = number(value);
    count.filter(|count| (1..=most).contains(count)).ok_or_else(|| format!("write a whole number between 1 and {most}"))
}

fn seed(value: &Value) -> Result<u64, String> {
    number(value).ok_or_else(|| "write a whole number of at least 0".into())
}

fn wait(value: &Value) -> Result<Duration, String> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let wait = parse_duration(&text)?;
    if wait > LONGEST_WAIT { Err("at most 24h between two tasks".into()) } else { Ok(wait) }
}

/// Only what can be told without DNS is checked here; the rest when it is sent.
fn to(app: &App, value: &Value) -> Result<Url, String> {
    let text = value.as_str().ok_or("write a URL")?.trim();
    if text.len() > LONGEST_URL {
        return Err(format!("a URL has at most {LONGEST_URL} characters"));
    }
    let url: Url =
        text.parse().map_err(|error| format!("not a URL ({error}); write it as http://localhost:5001/consumetasks"))?;
    app.policy.check(&url).map_err(|denied| denied.to_string())?;
    Ok(url)
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_body_has_known_fields_or_is_told_what_to_change(
            body in prop::collection::vec(any::<u8>(), 0..60), near in r#"(\{|count=|&|seed|wait|weights|to|"|:|,|\}|[0-9a-z.%+-]{0,4}){0,12}"#, json in any::<bool>(),
        ) {
            let mut headers = HeaderMap::new();
            if json {
                headers.insert(header::CONTENT_TYPE, header::HeaderValue::from_static("application/json"));
            }
            for body in [Bytes::from(body), Bytes::from(near)] {
                let Ok(fields) = fields(&headers, &body) else { continue };
                for value in fields.values() {
                    let _ = (count(value, 100_000), seed(value), wait(value), Weights::from_json(value));
                }
            }
        }
    }
}
