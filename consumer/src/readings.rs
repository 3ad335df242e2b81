//! A device as the API and the pages tell of it: its value in words, whether it is stale, and how its value went.

use std::time::Duration;

use common::{db::Db, page::grouped};

use crate::{
    devices::{
        Device,
        history::{self, Past, Point, number_of},
    },
    store::devices,
};

/// Readings that are looked at for one history, the newest first, and how many at a time.
const MAX_READ: usize = 50_000;
const PAGE: i64 = 2000;
/// Kinds of devices that have two states.
const DIGITAL: [&str; 6] = ["di", "do", "ro", "led", "input", "relay"];
const KINDS: [(&str, &str); 14] = [
    ("di", "Digital input"),
    ("input", "Digital input"),
    ("do", "Digital output"),
    ("ro", "Relay"),
    ("relay", "Relay or output"),
    ("ai", "Analog input"),
    ("ao", "Analog output"),
    ("led", "LED"),
    ("wd", "Watchdog"),
    ("temp", "Temperature"),
    ("data_point", "Data point"),
    ("unit_register", "Register"),
    ("modbus_slave", "Modbus slave"),
    ("device_info", "Controller"),
];

/// How far back a history goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// As it stands in an address.
    pub name: &'static str,
    pub label: &'static str,
    length_ms: Option<i64>,
}

impl Window {
    pub const ALL: [Self; 4] = [
        Self { name: "900", label: "15 min", length_ms: Some(900_000) },
        Self { name: "3600", label: "1 h", length_ms: Some(3_600_000) },
        Self { name: "86400", label: "24 h", length_ms: Some(86_400_000) },
        Self { name: "all", label: "All", length_ms: None },
    ];

    /// The window of that name, an hour unless one is named; `None` when there is none of it.
    #[must_use]
    pub fn named(name: Option<&str>) -> Option<Self> {
        let name = name.filter(|name| !name.is_empty()).unwrap_or("3600");
        Self::ALL.into_iter().find(|window| window.name == name)
    }

    /// When it begins; 0 where it has no beginning.
    #[must_use]
    pub fn from_ms(self, now_ms: i64) -> i64 {
        self.length_ms.map_or(0, |length_ms| now_ms - length_ms)
    }
}

/// How a value went.
#[derive(Debug)]
pub struct History {
    /// Oldest first, at most 600.
    pub points: Vec<Point>,
    /// Whether it reaches as far back as was asked, or as events are kept.
    pub is_complete: bool,
}

/// The history of a device between two times; of very many readings the newest 50 000 are looked at. `holds`: its last value stands until the end,
/// as devices are silent about what does not change.
///
/// # Errors
/// When the database fails.
pub async fn history(db: &Db, id: i64, (from_ms, to_ms): (i64, i64), holds: bool) -> sqlx::Result<History> {
    let mut read: Vec<Past> = Vec::new();
    let mut offset = i64::MAX;
    let is_complete = loop {
        let page = devices::before(db, id, offset, PAGE).await?;
        let Some(oldest) = page.last() else { break true };
        let reaches_back = oldest.at_ms <= from_ms;
        offset = oldest.offset;
        read.extend(page);
        if reaches_back || read.len() >= MAX_READ {
            break reaches_back;
        }
    };
    if let Some(newest) = read.first_mut().filter(|_| holds) {
        newest.repeated_ms = newest.repeated_ms.max(Some(to_ms));
    }
    Ok(History { points: history::thinned(history::points(&read, from_ms)), is_complete })
}

/// Whether a device was silent for longer than is usual; never with a time of 0.
#[must_use]
pub fn is_stale(device: &Device, now_ms: i64, stale_after: Duration) -> bool {
    let after_ms = i64::try_from(stale_after.as_millis()).unwrap_or(i64::MAX);
    after_ms > 0 && now_ms - device.last_ms > after_ms
}

/// Whether its values are two states.
#[must_use]
pub fn is_digital(device: &Device) -> bool {
    DIGITAL.contains(&device.key.dev.as_str()) || matches!(device.value.as_str(), "true" | "false")
}

/// What a device is called: its alias or name, else `dev circuit`.
#[must_use]
pub fn name(device: &Device) -> String {
    device.name.clone().unwrap_or_else(|| format!("{} {}", device.key.dev, device.key.circuit))
}

/// What it is, in words; a kind that nobody here knows is called what it calls itself.
#[must_use]
pub fn kind(device: &Device) -> String {
    let known = KINDS.iter().find(|(dev, _)| *dev == device.key.dev).map(|(_, word)| *word);
    let word = known.unwrap_or(&device.key.dev);
    if device.kind == device.key.dev { word.to_owned() } else { format!("{word}, {}", device.kind) }
}

/// A value as people read it, from its JSON; the unit is not in it.
#[must_use]
pub fn value(json: &str, is_digital: bool) -> String {
    match (json, number_of(json)) {
        (_, Some(number)) if is_digital => match number {
            0.0 => "off".into(),
            1.0 => "on".into(),
            other => figure(other),
        },
        (_, Some(number)) => figure(number),
        ("\"NaN\"", _) => "not a number".into(),
        ("\"Infinity\"", _) => "infinite".into(),
        ("\"-Infinity\"", _) => "minus infinite".into(),
        ("null", _) => "no value".into(),
        _ => serde_json::from_str(json).unwrap_or_else(|_| json.to_owned()),
    }
}

/// Six digits of a number, grouped.
#[must_use]
#[expect(
    clippy::cast_possible_truncation,
    reason = "whole numbers of fifteen digits at most, and how many digits they have"
)]
pub fn figure(number: f64) -> String {
    if number.fract() == 0.0 && number.abs() < 1e15 {
        return grouped(number as i64);
    }
    if !(1e-4..1e15).contains(&number.abs()) {
        return format!("{number:e}");
    }
    let digits = usize::try_from(5 - number.abs().log10().floor() as i32).unwrap_or(0);
    let text = format!("{number:.digits$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_written_as_people_read_it() {
        for (json, digital, written) in [
            ("8.3010000001", false, "8.301"),
            ("-0.004", false, "-0.004"),
            ("0.1234567", false, "0.123457"),
            ("812.5", false, "812.5"),
            ("1234567", false, "1,234,567"),
            ("1234567.5", false, "1234568"),
            ("1", true, "on"),
            ("0", true, "off"),
            ("true", true, "on"),
            ("0", false, "0"),
            ("\"NaN\"", false, "not a number"),
            ("null", true, "no value"),
            ("\"open\"", false, "open"),
        ] {
            assert_eq!(value(json, digital), written, "{json}");
        }
        assert_eq!(figure(1.5e-9), "1.5e-9");
    }

    #[test]
    fn a_window_has_a_name_and_an_hour_is_the_usual_one() {
        assert_eq!(Window::named(None).map(|window| window.from_ms(3_600_000)), Some(0));
        assert_eq!(Window::named(Some("all")).map(|window| window.from_ms(9)), Some(0));
        assert_eq!(Window::named(Some("900")).map(|window| window.label), Some("15 min"));
        assert_eq!(Window::named(Some("7")), None);
    }
}
