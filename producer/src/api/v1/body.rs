//! What handlers take from a request: the id in its path, and single members of its body, whatever else that is.

use std::collections::HashMap;

use axum::{
    body::Bytes,
    extract::{FromRequestParts, RawPathParams},
    http::request::Parts,
};
use serde_json::value::RawValue;

use super::wire::Refusal;
use crate::service;

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
        Ok(Some(service::canonical(name, value.get(), most)?))
    }
}
