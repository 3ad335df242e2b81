//! The topics of *Unipi Control*, which puts a Unipi controller's inputs, outputs and meters on MQTT.
//!
//! By its documentation (superbox-dev/unipi-control, `docs/mqtt-topics.md`): `DEVICE/relay/ro_1_01/get`, `DEVICE/relay/do_1_01/get` and
//! `DEVICE/input/di_1_01/get` say `ON` or `OFF`; `DEVICE/meter/voltage_1/get` and its like say a number. Scripts that put Evok's own objects on
//! MQTT need no layout: such an object says itself which device it is of.

use serde_json::Value;

use super::topic::{Parts, Pattern};
use crate::{canonical, sources::devices::reading::Reading};

/// The groups below a device's name.
const RELAY: &str = "relay";
const INPUT: &str = "input";
const METER: &str = "meter";
/// What a meter's values are measured in, by a part of their names; the first that fits.
const UNITS: [(&str, &str); 9] = [
    ("voltage", "V"),
    ("current", "A"),
    ("reactive_energy", "kvarh"),
    ("energy", "kWh"),
    ("apparent_power", "VA"),
    ("reactive_power", "var"),
    ("power_factor", ""),
    ("power", "W"),
    ("frequency", "Hz"),
];

/// One group of one device, or of all.
#[derive(Clone, Debug)]
pub struct Layout {
    group: &'static str,
    /// Whether the device's name stands in its readings, as there may be others.
    is_named: bool,
}

/// The patterns of a device; `None`: of every device on the broker.
///
/// # Errors
/// When the device's name is none.
pub fn layouts(device: Option<&str>) -> Result<Vec<(Pattern, Layout)>, String> {
    let name = device.unwrap_or("{device}");
    let layout = |group| {
        let pattern = Pattern::read(&format!("{name}/{group}/{{circuit}}/get"));
        Ok((pattern?, Layout { group, is_named: device.is_none() }))
    };
    [RELAY, INPUT, METER].into_iter().map(layout).collect()
}

/// `None`: it is nothing that Unipi Control says.
pub fn reading(layout: &Layout, topic: &str, parts: &Parts<'_>, text: &str) -> Option<Reading> {
    let part = |name: &str| parts.iter().find(|(named, _)| *named == name).map(|(_, part)| *part);
    let circuit = part("circuit")?;
    let (dev, circuit, value, unit) = match layout.group {
        METER => {
            (METER, circuit, text.parse::<f64>().ok().and_then(serde_json::Number::from_f64)?.into(), unit(circuit))
        }
        _ => (circuit.get(..2)?, circuit.get(2..)?.strip_prefix('_')?, switched(text)?, ""),
    };
    let is_known = matches!((layout.group, dev), (RELAY, "ro" | "do") | (INPUT, "di") | (METER, METER));
    let device = part("device").filter(|_| layout.is_named).map_or_else(String::new, |device| format!("{device}/"));
    let [circuit, topic] = [format!("{device}{circuit}"), topic.to_owned()].map(|text| canonical::quoted(&text));
    let unit = if unit.is_empty() { String::new() } else { format!(r#", "unit": "{unit}""#) };
    let object = format!(r#"{{"dev": "{dev}", "circuit": {circuit}, "value": {value}{unit}, "topic": {topic}}}"#);
    is_known.then(|| Reading::of(&object))?
}

/// As Evok writes it.
fn switched(text: &str) -> Option<Value> {
    match text {
        "ON" => Some(1.into()),
        "OFF" => Some(0.into()),
        _ => None,
    }
}

fn unit(measure: &str) -> &'static str {
    UNITS.iter().find(|(name, _)| measure.contains(name)).map_or("", |(_, unit)| unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(device: Option<&str>, topic: &str, text: &str) -> Option<String> {
        let layouts = layouts(device).unwrap();
        let (parts, layout) = layouts.iter().find_map(|(pattern, layout)| Some((pattern.parts(topic)?, layout)))?;
        reading(layout, topic, &parts, text).map(|reading| reading.object)
    }

    #[test]
    fn its_topics_are_understood() {
        for (device, topic, text, object) in [
            (
                Some("unipi"),
                "unipi/relay/ro_2_01/get",
                "ON",
                Some(r#"{"dev": "ro", "circuit": "2_01", "value": 1, "topic": "unipi/relay/ro_2_01/get"}"#),
            ),
            (
                None,
                "l533/input/di_1_04/get",
                "OFF",
                Some(r#"{"dev": "di", "circuit": "l533/1_04", "value": 0, "topic": "l533/input/di_1_04/get"}"#),
            ),
            (
                Some("u"),
                "u/meter/voltage_1/get",
                "235.2",
                Some(
                    r#"{"dev": "meter", "circuit": "voltage_1", "value": 235.2, "unit": "V", "topic": "u/meter/voltage_1/get"}"#,
                ),
            ),
            (
                Some("u"),
                "u/meter/power_factor_1/get",
                "1.0",
                Some(
                    r#"{"dev": "meter", "circuit": "power_factor_1", "value": 1.0, "topic": "u/meter/power_factor_1/get"}"#,
                ),
            ),
            (Some("u"), "u/relay/ro_2_01/set", "ON", None),
            (Some("u"), "u/relay/di_2_01/get", "ON", None),
            (Some("u"), "u/relay/ä/get", "ON", None),
            (Some("u"), "u/input/di_1_01/get", "maybe", None),
            (Some("u"), "v/input/di_1_01/get", "ON", None),
            (Some("u"), "u/meter/voltage_1/get", "off", None),
        ] {
            assert_eq!(said(device, topic, text).as_deref(), object, "{topic} {text}");
        }
        for (measure, expected) in [
            ("active_power_1", "W"),
            ("import_reactive_energy_1", "kvarh"),
            ("total_active_energy_1", "kWh"),
            ("phase_angle_1", ""),
        ] {
            assert_eq!(unit(measure), expected, "{measure}");
        }
        assert!(layouts(Some("a+")).is_err());
    }
}
