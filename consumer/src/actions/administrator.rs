//! The administrator, whom the gate has let in: where they are, and what they did, for the audit.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, FromRequestParts},
    http::request::Parts,
};
use common::{problem::Problem, time::now_ms};

use super::refusal::Refusal;
use crate::{
    App,
    store::actions::audit::{self, Entry},
};

/// What the administrator is called in the audit.
pub const NAME: &str = "admin";

/// The administrator, by where they are.
pub struct Admin(String);

impl<S: Send + Sync> FromRequestParts<S> for Admin {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Ok(Self(peer.map(|ConnectInfo(peer)| peer.ip().to_canonical().to_string()).unwrap_or_default()))
    }
}

impl Admin {
    /// The address that they are at.
    #[must_use]
    pub fn from(&self) -> &str {
        &self.0
    }

    /// Puts into the audit what was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn did(&self, app: &App, what: &str, subject: &str, detail: &str) -> Result<(), Problem> {
        let entry = Entry { status: 200, detail: detail.into(), ..self.entry(what, subject) };
        Ok(audit::add(&app.db, entry).await?)
    }

    /// Puts into the audit that a call was refused.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn was_refused(&self, app: &App, event_id: &str, refusal: &Refusal) -> Result<(), Problem> {
        let (status, detail) = (i64::from(refusal.status.as_u16()), refusal.error.clone());
        Ok(audit::add(&app.db, Entry { status, detail, ..self.entry("call", event_id) }).await?)
    }

    fn entry(&self, what: &str, subject: &str) -> Entry {
        Entry {
            at_ms: now_ms(),
            who: NAME.into(),
            from: self.0.clone(),
            what: what.into(),
            subject: subject.into(),
            ..Entry::default()
        }
    }
}

/// 400 that names what is wrong, and the field that it is wrong in.
pub(super) fn wrong(field: &str, error: impl std::fmt::Display) -> Problem {
    Problem::bad_request(format!("{error}.")).with("field", field)
}
