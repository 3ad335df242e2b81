//! What handlers take from a request: the id in its path, and single members of its body, whatever else that is.

use std::collections::HashMap;

use axum::{
    body::Bytes,
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use serde_json::value::RawValue;

use super::wire::Refusal;
use crate::canonical;

/// By so much a text may be longer than what it comes to.
const BLANKS: usize = 2;

/// The `{id}` of the path, beside what the gate's own route names.
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Refusal> {
        let path = RawPathParams::from_request_parts(parts, state).await;
        let path = path.map_err(|error| Refusal::bad(format!("The path cannot be read: {error}")))?;
        let id = path.iter().find(|(name, _)| *name == "id").map(|(_, id)| id.to_owned());
        Ok(Self(id.unwrap_or_default()))
    }
}

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
        let too_long =
            |length: usize| Refusal::bad(format!("{name}: at most {most} bytes of JSON, and this has {length}"));
        // Before it is read level by level: blanks may be left out, but not to this extent.
        if value.get().len() > most * BLANKS {
            return Err(too_long(value.get().len()));
        }
        let text = canonical::dumps(value.get()).map_err(|error| Refusal::bad(format!("{name}: {error}")))?;
        if text.len() > most { Err(too_long(text.len())) } else { Ok(Some(text)) }
    }
}
