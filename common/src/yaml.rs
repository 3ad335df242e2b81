//! Files of settings in YAML: what is wrong with them is told by line and column.

use std::{fmt, path::Path, time::Duration};

use anyhow::Context;
use serde::{Deserializer, de, de::DeserializeOwned};
use serde_saphyr::Location;

use crate::config::parse_duration;

const LONGEST_NAME: usize = 64;
const LONGEST_TIME: Duration = Duration::from_hours(30 * 24);

/// Reads the file and makes of its text what `parse` does, whose errors begin with `LINE:COLUMN`.
///
/// # Errors
/// Names the file, and what is wrong with it.
pub fn read<T>(path: &Path, parse: impl FnOnce(&str) -> Result<T, String>) -> anyhow::Result<T> {
    let name = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    parse(&text).map_err(|error| anyhow::anyhow!("{name}:{error}"))
}

/// The text as `T`.
///
/// # Errors
/// Begins with `LINE:COLUMN`, and says what is wrong there.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_saphyr::from_str(text).map_err(|error| located(&error))
}

fn located(error: &serde_saphyr::Error) -> String {
    let words = error.without_snippet().to_string();
    // The place stands in front.
    let words = words.rsplit_once(" at line ").map_or(words.as_str(), |(words, _)| words);
    error.location().map_or_else(|| format!("1:1: {words}"), |at| at_place(at, words))
}

/// `LINE:COLUMN: words`.
#[must_use]
pub fn at_place(at: Location, words: &str) -> String {
    format!("{}:{}: {words}", at.line(), at.column())
}

/// Whether a source may be called so in a file, in an address and on a page.
///
/// # Errors
/// Says which letters may be used.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_plain = |letter: u8| letter.is_ascii_alphanumeric() || b"-_.".contains(&letter);
    // Of dots alone a path is another path.
    let is_dots = name.bytes().all(|letter| letter == b'.');
    if is_dots || name.len() > LONGEST_NAME || !name.bytes().all(is_plain) {
        return Err(format!("name: write at most {LONGEST_NAME} of the letters a-z A-Z 0-9 - _ . (not dots alone)"));
    }
    Ok(())
}

/// Seconds as a number, or a number with its unit.
///
/// # Errors
/// When it is neither, or longer than 30 days.
pub fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
    from.deserialize_any(Time)
}

/// The same where there may be none.
///
/// # Errors
/// When it is neither, or longer than 30 days.
pub fn some_time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
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
