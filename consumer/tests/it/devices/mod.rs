//! Devices: what they send as it was captured, what of it is kept, and what is told of them.

mod captured;
mod repeats;
mod snapshot;
mod told;

/// A reading as Evok writes it; the value is JSON, or a bare `NaN`.
pub fn reading(dev: &str, circuit: &str, value: &str) -> String {
    format!(r#"{{"dev": "{dev}", "circuit": "{circuit}", "value": {value}, "unit": "V"}}"#)
}
