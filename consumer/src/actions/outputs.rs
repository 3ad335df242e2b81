//! Outputs of a controller: what can be set, and how a controller is written.

use serde::{Deserialize, Serialize};
use serde_json::Number;
use url::Url;

use super::call::is_plain;

const MAX_CIRCUIT_CHARS: usize = 50;
const MAX_URL_CHARS: usize = 300;
/// The largest that an analogue output takes: Ohm.
const LARGEST: f64 = 2000.0;
/// An analogue output reads not quite what was set.
const TOLERANCE: f64 = 0.02;
/// What can be set, as Evok 3 calls it; `relay` is Evok 2's word.
const OUTPUTS: [&str; 5] = ["ro", "do", "ao", "led", "relay"];

/// The parameters of `set_output`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetOutput {
    pub dev: String,
    pub circuit: String,
    pub value: Number,
    /// A pulse: after so long the output is set back to its other value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u32>,
}

impl SetOutput {
    /// # Errors
    /// Says what to change.
    pub fn check(&self) -> Result<(), String> {
        check_output(&self.dev, &self.circuit)?;
        check_value("value", &self.dev, &self.value)?;
        if self.seconds.is_some() && self.dev == "ao" {
            return Err("seconds is for outputs that are 0 or 1: an ao has no other value to be set back to".into());
        }
        Ok(())
    }
}

/// Where a controller is, and what an emergency does there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Controller {
    /// `ws://HOST:8080/ws`.
    pub url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub emergency_output: Option<EmergencyOutput>,
}

/// The output that is `on` as long as an emergency lasts: a siren.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EmergencyOutput {
    pub dev: String,
    pub circuit: String,
    /// 1 unless told.
    #[serde(default = "one")]
    #[schema(value_type = f64)]
    pub on: Number,
    /// 0 unless told.
    #[serde(default = "zero")]
    #[schema(value_type = f64)]
    pub off: Number,
}

fn one() -> Number {
    1.into()
}

fn zero() -> Number {
    0.into()
}

impl Controller {
    /// # Errors
    /// Says what to change.
    pub fn check(&self) -> Result<(), String> {
        self.address()?;
        let Some(output) = &self.emergency_output else { return Ok(()) };
        check_output(&output.dev, &output.circuit)
            .and_then(|()| check_value("on", &output.dev, &output.on))
            .and_then(|()| check_value("off", &output.dev, &output.off))
            .map_err(|error| format!("controller.emergency_output: {error}"))
    }

    /// Where to connect.
    ///
    /// # Errors
    /// Says what to write.
    pub fn address(&self) -> Result<Url, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("controller.url: {error}");
        if !is_plain(&self.url, MAX_URL_CHARS) {
            return Err(wrong(&format!("it has at most {MAX_URL_CHARS} characters")));
        }
        let url: Url = self.url.parse().map_err(|error| wrong(&error))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong(&"it may carry no user name or password: Evok asks for none, and they would be shown"));
        }
        common::evok::check_url(&url).map_err(|error| wrong(&error))?;
        Ok(url)
    }
}

fn check_output(dev: &str, circuit: &str) -> Result<(), String> {
    if !OUTPUTS.contains(&dev) {
        return Err(format!("dev is one of {}", OUTPUTS.join(", ")));
    }
    is_circuit(circuit)
        .then_some(())
        .ok_or_else(|| format!("circuit is a text such as \"1_01\", of at most {MAX_CIRCUIT_CHARS} characters"))
}

fn is_circuit(circuit: &str) -> bool {
    !circuit.trim().is_empty() && is_plain(circuit, MAX_CIRCUIT_CHARS)
}

/// Whether an output that is called so could be named in a command.
#[must_use]
pub fn can_be_named(dev: &str, circuit: &str) -> bool {
    OUTPUTS.contains(&dev) && is_circuit(circuit)
}

fn check_value(name: &str, dev: &str, value: &Number) -> Result<(), String> {
    let number = value.as_f64().unwrap_or(f64::NAN);
    if dev == "ao" {
        let is_good = (0.0..=LARGEST).contains(&number);
        return is_good.then_some(()).ok_or_else(|| format!("{name} of an ao is 0 to {LARGEST}"));
    }
    let is_good = value.as_u64().is_some_and(|value| value <= 1);
    is_good.then_some(()).ok_or_else(|| format!("{name} of {dev} is 0 or 1"))
}

/// What a controller may call the output: Evok 2 and Evok 3 have different words.
#[must_use]
pub fn names(dev: &str) -> &[&str] {
    match dev {
        "ro" | "relay" => &["ro", "relay"],
        "do" => &["do", "relay"],
        "ao" => &["ao"],
        _ => &["led"],
    }
}

/// Whether what is read is what was set.
#[must_use]
pub fn is_as_set(read: f64, set: &Number) -> bool {
    let set = set.as_f64().unwrap_or(f64::NAN);
    (read - set).abs() <= TOLERANCE + set.abs() / 100.0
}

/// The other value of an output that is 0 or 1.
#[must_use]
pub fn other(value: &Number) -> Number {
    if value.as_u64() == Some(0) { one() } else { zero() }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn set(json: Value) -> Result<(), String> {
        serde_json::from_value::<SetOutput>(json).map_err(|error| error.to_string())?.check()
    }

    #[test]
    fn an_output_is_named_and_gets_a_value_that_it_can_have() {
        for good in [
            json!({"dev": "ro", "circuit": "1_01", "value": 1}),
            json!({"dev": "relay", "circuit": "1", "value": 0, "seconds": 3}),
            json!({"dev": "ao", "circuit": "1_01", "value": 8.3}),
        ] {
            assert_eq!(set(good.clone()), Ok(()), "{good}");
        }
        for (bad, said) in [
            (json!({"dev": "di", "circuit": "1_01", "value": 1}), "dev"),
            (json!({"dev": "ro", "circuit": " ", "value": 1}), "circuit"),
            (json!({"dev": "ro", "circuit": "1_01", "value": 2}), "0 or 1"),
            (json!({"dev": "ro", "circuit": "1_01", "value": true}), "number"),
            (json!({"dev": "ao", "circuit": "1_01", "value": 2001}), "2000"),
            (json!({"dev": "ao", "circuit": "1_01", "value": 5, "seconds": 1}), "seconds"),
            (json!({"dev": "ro", "circuit": "1_01"}), "value"),
        ] {
            let error = set(bad.clone()).unwrap_err();
            assert!(error.contains(said), "{bad}: {error}");
        }
    }

    #[test]
    fn a_controller_is_at_an_address_of_evok() {
        let controller = |url: &str| Controller { url: url.into(), emergency_output: None }.check();
        assert_eq!(controller("ws://10.0.0.5:8080/ws"), Ok(()));
        for bad in ["wss://10.0.0.5/ws", "http://10.0.0.5/", "10.0.0.5", "ws://a:b@10.0.0.5/ws"] {
            assert!(controller(bad).unwrap_err().contains("controller.url"), "{bad}");
        }
    }

    #[test]
    fn what_is_read_is_about_what_was_set() {
        assert!(is_as_set(8.301, &Number::from_f64(8.3).unwrap()) && is_as_set(1.0, &one()));
        assert!(!is_as_set(0.0, &one()) && !is_as_set(f64::NAN, &zero()));
        assert_eq!((other(&one()), other(&zero())), (zero(), one()));
    }
}
