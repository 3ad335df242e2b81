//! `devices.yaml` as it is written: the sources, and what is wrong with them by line and column.

use std::{collections::BTreeMap, fmt, path::Path, time::Duration};

use anyhow::Context;
use common::config::parse_duration;
use serde::{Deserialize, Deserializer, de};
use serde_saphyr::{Location, Spanned};
use url::Url;

use super::{
    rules::{Rules, Threshold},
    webhook::{Webhook, WebhookKeys},
};

const LONGEST_NAME: usize = 64;
const LONGEST_TIME: Duration = Duration::from_hours(30 * 24);

/// A source that was checked.
#[derive(Clone, Debug)]
pub struct Source {
    /// Unique in the file.
    pub name: String,
    pub kind: Kind,
    pub rules: Rules,
    pub webhook: Webhook,
}

/// Where the readings come from.
#[derive(Clone, Debug)]
pub enum Kind {
    Evok(Evok),
    Host(Host),
}

impl Kind {
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Evok(_) => "evok",
            Self::Host(_) => "host",
        }
    }
}

/// A device with Evok.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evok {
    /// `ws://HOST:8080/ws`.
    #[serde(deserialize_with = "url")]
    pub url: Url,
    /// Between two pings; with each, the state of all devices is asked for again.
    #[serde(default = "ping_interval", deserialize_with = "time")]
    pub ping_interval: Duration,
    /// A Modbus slave that was silent for longer is stale.
    #[serde(default = "stale_after", deserialize_with = "time")]
    pub stale_after: Duration,
}

/// This machine's own sensors.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Host {
    #[serde(default = "host_interval", deserialize_with = "time")]
    pub interval: Duration,
}

const fn ping_interval() -> Duration {
    Duration::from_secs(15)
}

const fn stale_after() -> Duration {
    Duration::from_mins(1)
}

const fn host_interval() -> Duration {
    Duration::from_secs(10)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    sources: Vec<Spanned<Keys>>,
}

/// The keys of one source; a kind more is a key more here.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Keys {
    name: String,
    evok: Option<Evok>,
    host: Option<Host>,
    device_mask: Option<Vec<String>>,
    #[serde(default)]
    deadband: BTreeMap<String, f64>,
    #[serde(default, deserialize_with = "time")]
    min_interval: Duration,
    #[serde(default, deserialize_with = "some_time")]
    heartbeat: Option<Duration>,
    #[serde(default)]
    thresholds: Vec<Threshold>,
    #[serde(default)]
    webhook: WebhookKeys,
}

/// Reads the file; `receiver` is where a source sends to that names no address, with its name appended.
///
/// # Errors
/// Names the file, the line and the column, and says what is wrong there.
pub fn read(path: &Path, receiver: &Url) -> anyhow::Result<Vec<Source>> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    parse(&text, receiver).map_err(|error| anyhow::anyhow!("{name}:{error}"))
}

/// The same from a text; the error begins with `LINE:COLUMN`.
fn parse(text: &str, receiver: &Url) -> Result<Vec<Source>, String> {
    let file: File = serde_saphyr::from_str(text).map_err(|error| located(&error))?;
    let mut sources: Vec<Source> = Vec::with_capacity(file.sources.len());
    for keys in file.sources {
        let at = keys.referenced;
        let source = check(keys.value, receiver).map_err(|error| at_place(at, &error))?;
        if sources.iter().any(|other| other.name == source.name) {
            return Err(at_place(at, &format!("there are two sources named {:?}", source.name)));
        }
        sources.push(source);
    }
    if sources.is_empty() {
        return Err("1:1: there is no source in it".into());
    }
    Ok(sources)
}

fn located(error: &serde_saphyr::Error) -> String {
    let words = error.without_snippet().to_string();
    // The place stands in front.
    let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
    error.location().map_or_else(|| format!("1:1: {words}"), |at| at_place(at, words))
}

fn at_place(at: Location, words: &str) -> String {
    format!("{}:{}: {words}", at.line(), at.column())
}

fn check(keys: Keys, receiver: &Url) -> Result<Source, String> {
    let name = keys.name;
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    if name.is_empty() || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        return Err(format!("name: write at most {LONGEST_NAME} of the letters a-z A-Z 0-9 - _ ."));
    }
    let kind = match (keys.evok, keys.host) {
        (Some(evok), None) => Kind::Evok(check_evok(evok)?),
        (None, Some(host)) => Kind::Host(check_host(host)?),
        _ => return Err(format!("{name} needs exactly one of evok: {{url: …}} and host: {{}}")),
    };
    let device_mask = match (keys.device_mask, keys.webhook.device_mask.clone()) {
        (Some(_), Some(_)) => {
            return Err("device_mask stands twice, in the source and in its webhook: write one".into());
        }
        (mask, of_webhook) => mask.or(of_webhook).unwrap_or_else(|| vec!["*".into()]),
    };
    let (deadband, heartbeat, min_interval) = (keys.deadband, keys.heartbeat, keys.min_interval);
    if deadband.values().any(|band| !band.is_finite() || *band < 0.0) {
        return Err("deadband: write numbers from 0 on".into());
    }
    if keys.thresholds.iter().any(|threshold| threshold.above.is_none() && threshold.below.is_none()) {
        return Err("thresholds: each needs above, below, or both".into());
    }
    if heartbeat.is_some_and(|heartbeat| heartbeat.is_zero() || heartbeat < min_interval) {
        return Err("heartbeat: write a time above 0, and not below min_interval".into());
    }
    let webhook = keys.webhook.check(&name, receiver)?;
    let rules = Rules { device_mask, deadband, min_interval, heartbeat, thresholds: keys.thresholds };
    Ok(Source { name, kind, rules, webhook })
}

fn check_evok(evok: Evok) -> Result<Evok, String> {
    if evok.url.scheme() != "ws" || evok.url.host_str().is_none() {
        return Err("evok.url: write ws://HOST:8080/ws; Evok speaks no TLS".into());
    }
    if evok.ping_interval.is_zero() || evok.stale_after.is_zero() {
        return Err("evok: ping_interval and stale_after must be above 0".into());
    }
    Ok(evok)
}

fn check_host(host: Host) -> Result<Host, String> {
    if host.interval.is_zero() { Err("host.interval must be above 0".into()) } else { Ok(host) }
}

fn url<'de, D: Deserializer<'de>>(from: D) -> Result<Url, D::Error> {
    let text = String::deserialize(from)?;
    text.parse().map_err(|error| de::Error::custom(format!("{text:?} is no address: {error}")))
}

/// Seconds as a number, or a number with its unit.
fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    from.deserialize_any(Time)
}

fn some_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
    time(from).map(Some)
}

struct Time;

impl de::Visitor<'_> for Time {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a time: seconds (1, 0.5) or a number with its unit (200ms, 5m, 2h)")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Duration, E> {
        let time = parse_duration(text).map_err(E::custom)?;
        if time > LONGEST_TIME { Err(E::custom("at most 30d")) } else { Ok(time) }
    }

    fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Duration, E> {
        self.visit_str(&seconds.to_string())
    }

    fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Duration, E> {
        self.visit_str(&seconds.to_string())
    }

    fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Duration, E> {
        self.visit_str(&seconds.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Source>, String> {
        parse(text, &"http://localhost:5001/consumetasks".parse().unwrap())
    }

    #[test]
    fn a_file_with_every_key_is_read() {
        let sources = read(include_str!("../../../tests/fixtures/devices.yaml")).unwrap();
        let [boiler, machine] = &sources[..] else { panic!("{sources:?}") };
        let Kind::Evok(evok) = &boiler.kind else { panic!("{boiler:?}") };
        assert_eq!((evok.url.as_str(), evok.stale_after), ("ws://10.0.0.5:8080/ws", Duration::from_mins(2)));
        assert_eq!(boiler.rules.min_interval, Duration::from_millis(500));
        let addresses: Vec<&str> = boiler.webhook.addresses.iter().map(|address| address.url.as_str()).collect();
        assert_eq!(addresses, ["http://127.0.0.1:5001/consumetasks", "https://example.com/hooks?token=abc"]);
        assert_eq!(machine.rules.device_mask, ["temp", "disk*"]);
        assert_eq!(machine.webhook.addresses[0].url.as_str(), "http://localhost:5001/consumetasks/machine");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_column() {
        let evok = "sources:\n  - name: a\n    evok: {url: \"ws://h/ws\"}\n";
        let cases = [
            (format!("{evok}    colour: red\n"), "4:5: ", "colour"),
            (format!("{evok}    webhook: {{adress: x}}\n"), "4:15: ", "adress"),
            (format!("{evok}    heartbeat: soon\n"), "4:16: ", "soon"),
            (format!("{evok}    min_interval: 31d\n"), "4:19: ", "30d"),
            (format!("{evok}    webhook: {{address: nowhere}}\n"), "4:24: ", "nowhere"),
            ("sources:\n  - name: a\n".into(), "2:5: ", "exactly one of"),
            ("sources:\n  - name: a b\n    host: {}\n".into(), "2:5: ", "name"),
            ("sources:\n  - name: a\n    evok: {url: \"http://h/ws\"}\n".into(), "2:5: ", "ws://HOST"),
            (format!("{evok}  - name: a\n    host: {{}}\n"), "4:5: ", "two sources named"),
            (format!("{evok}    deadband: {{ai: -1}}\n"), "2:5: ", "deadband"),
            (format!("{evok}    webhook: {{address: \"http://u:p@h/\"}}\n"), "2:5: ", "password"),
            ("sources: []\n".into(), "1:1: ", "no source"),
            ("sources: [\n".into(), "", ""),
        ];
        for (text, place, word) in cases {
            let error = read(&text).unwrap_err();
            assert!(error.starts_with(place) && error.contains(word) && !error.contains(" at line"), "{text}\n{error}");
        }
    }
}
