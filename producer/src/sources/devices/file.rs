//! `devices.yaml` as it is written: the sources, and what is wrong with them by line and column.

use std::{collections::BTreeMap, path::Path, time::Duration};

use common::yaml::{self, at_place, check_name, some_time, time};
use serde::Deserialize;
use serde_saphyr::Spanned;
use url::Url;

use super::{
    evok::Evok,
    host::Host,
    kind::Kind,
    modbus::Modbus,
    mqtt::Mqtt,
    rules::{Rules, Threshold},
    webhook::{Webhook, WebhookKeys},
};

/// A source that was checked.
#[derive(Clone, Debug)]
pub struct Source {
    /// Unique in the file.
    pub name: String,
    pub kind: Kind,
    pub rules: Rules,
    pub webhook: Webhook,
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
    modbus: Option<Modbus>,
    mqtt: Option<Mqtt>,
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
    yaml::read(path, |text| parse(text, receiver))
}

/// The same from a text; the error begins with `LINE:COLUMN`.
fn parse(text: &str, receiver: &Url) -> Result<Vec<Source>, String> {
    let file: File = yaml::from_str(text)?;
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

fn check(keys: Keys, receiver: &Url) -> Result<Source, String> {
    let name = keys.name;
    check_name(&name)?;
    let kinds = [
        keys.evok.map(Kind::Evok),
        keys.host.map(Kind::Host),
        keys.modbus.map(Kind::Modbus),
        keys.mqtt.map(Kind::Mqtt),
    ];
    let mut kinds = kinds.into_iter().flatten();
    let (Some(kind), None) = (kinds.next(), kinds.next()) else {
        return Err(format!("{name} needs exactly one of evok: {{…}}, host: {{}}, modbus: {{…}} and mqtt: {{…}}"));
    };
    let kind = kind.check()?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Source>, String> {
        parse(text, &"http://localhost:5001/consumetasks".parse().unwrap())
    }

    #[test]
    fn a_file_with_every_key_is_read() {
        let sources = read(include_str!("../../../tests/fixtures/devices.yaml")).unwrap();
        let [boiler, machine, plc, house] = &sources[..] else { panic!("{sources:?}") };
        assert!(matches!((&plc.kind, &house.kind), (Kind::Modbus(_), Kind::Mqtt(_))));
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
        let modbus = "sources:\n  - name: a\n    modbus: {address: h";
        let two = "{name: x, register: input, address: 0, type: f32}, {name: y, register: input, address: 1}";
        let mqtt = "sources:\n  - name: a\n    mqtt: {url: \"mqtt://h\"";
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
            (format!("{modbus}, pol_interval: 1s}}\n"), "3:26: ", "pol_interval"),
            (format!("{modbus}, points: [{{name: x, register: input, address: 70000}}]}}\n"), "3:35: ", "0 to 65535"),
            (format!("{modbus}, points: [{{name: x, register: input, address: 0, typ: u16}}]}}\n"), "3:74: ", "typ"),
            (
                format!("{modbus}, points: [{{name: x, register: coil, address: 0, type: f32}}]}}\n"),
                "3:35: ",
                "one bit",
            ),
            (format!("{modbus}, points: []}}\n"), "2:5: ", "1 to 1000 points"),
            (format!("{modbus}, points: [{two}]}}\n"), "2:5: ", "overlap"),
            (format!("{mqtt}, topics: [{{topic: a, qos: 2}}]}}\n"), "3:38: ", "0 or 1"),
            (format!("{mqtt}, topics: [{{topic: a, ret: 2}}]}}\n"), "3:49: ", "ret"),
            (format!("{mqtt}, topics: [{{topic: \"a/{{x}}\", circuit: \"{{y}}\"}}]}}\n"), "3:38: ", "no part {y}"),
            (format!("{mqtt}}}\n"), "2:5: ", "1 to 100 topics"),
            (format!("{mqtt}, password: x, topics: [{{topic: a}}]}}\n"), "2:5: ", "username"),
            ("sources:\n  - name: a\n    mqtt: {url: \"mqtts://h\", topics: []}\n".into(), "3:17: ", "no TLS"),
            (
                "sources:\n  - name: a\n    mqtt: {url: \"mqtt://u:pw@h\", topics: []}\n".into(),
                "3:17: ",
                "password_file",
            ),
            ("sources: []\n".into(), "1:1: ", "no source"),
            ("sources: [\n".into(), "", ""),
        ];
        for (text, place, word) in cases {
            let error = read(&text).unwrap_err();
            assert!(error.starts_with(place) && error.contains(word) && !error.contains(" at line"), "{text}\n{error}");
        }
    }
}
