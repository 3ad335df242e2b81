//! Bodies: JSON of which single members are wanted, whatever else it is.

use std::collections::HashMap;

use axum::body::Bytes;
use serde_json::value::RawValue;

use super::wire::Refusal;
use crate::canonical;

/// The members of a body that is an object; any other JSON has none, as the JSON *string* `"{}"` that some clients send.
pub struct Members(HashMap<String, Box<RawValue>>);

impl Members {
    /// # Errors
    /// When the body is no JSON.
    pub fn read(body: &Bytes) -> Result<Self, Refusal> {
        let text = std::str::from_utf8(body).map_err(Refusal::unreadable)?;
        let value: &RawValue = serde_json::from_str(text).map_err(Refusal::unreadable)?;
        Ok(Self(serde_json::from_str(value.get()).unwrap_or_default()))
    }

    /// The member as canonical JSON text; `Ok(None)`: there is none.
    ///
    /// # Errors
    /// When it holds what cannot be sent on, or is longer than `most` bytes.
    pub fn get(&self, name: &str, most: usize) -> Result<Option<String>, Refusal> {
        let Some(value) = self.0.get(name) else { return Ok(None) };
        let text = canonical::dumps(value.get()).map_err(|error| Refusal::bad(format!("{name}: {error}")))?;
        if text.len() > most {
            return Err(Refusal::bad(format!("{name}: at most {most} bytes of JSON, and this has {}", text.len())));
        }
        Ok(Some(text))
    }
}
