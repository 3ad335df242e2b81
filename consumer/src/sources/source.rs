//! A source that is configured, and a draft of one.

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{key, yaml::check_name};

use super::pace::Pace;
use crate::{
    guards::{FieldError, Guard, Kind, Rejection, Request, Secrets},
    rules::Rules,
};

const MAX_RATE: i64 = 1_000_000;
const LONGEST_STALE_S: i64 = 30 * 24 * 3600;

/// Where a source was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    Page,
    /// `SOURCES`: it is read at start, and the page cannot change it.
    File,
}

impl Origin {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::File => "file",
        }
    }
}

/// A source that is configured.
#[derive(Clone, Debug)]
pub struct Source {
    pub name: Arc<str>,
    pub guard: Guard,
    /// `Err`: why nobody is let in, because they or the guard cannot be read any more.
    pub(super) secrets: Result<Secrets, &'static str>,
    pub rules: Rules,
    /// A device that is silent for longer is stale.
    pub stale_after_s: Option<i64>,
    pub pace: Option<Arc<Pace>>,
    pub origin: Origin,
    /// 0 for those of the file.
    pub created_ms: i64,
    pub updated_ms: i64,
}

impl Source {
    /// Of the file, until somebody says otherwise. A pace that is running goes on when it stays the same.
    pub(super) fn new(draft: Draft, secrets: Result<Secrets, &'static str>, running: Option<&Self>) -> Self {
        let pace = draft.pace(running);
        let Draft { name, guard, rules, stale_after_s, .. } = draft;
        let (name, rules, origin) = (name.into(), rules.unwrap_or_default(), Origin::File);
        Self { name, guard, secrets, rules, stale_after_s, pace, origin, created_ms: 0, updated_ms: 0 }
    }

    /// Whether the request may come in; `now_s` is our clock's time.
    ///
    /// # Errors
    /// Says why not.
    pub fn verify(&self, request: &Request<'_>, now_s: i64) -> Result<(), Rejection> {
        let secrets = self.secrets.as_ref().map_err(|reason| Rejection::new(Kind::Sealed, *reason))?;
        self.guard.verify(secrets, request, now_s)
    }

    /// Whether two secrets are good at the moment.
    #[must_use]
    pub fn is_rotating(&self) -> bool {
        self.secrets.as_ref().is_ok_and(|secrets| secrets.second().is_some())
    }

    /// Why nobody is let in, when its secrets or its guard cannot be read any more.
    #[must_use]
    pub fn closed_because(&self) -> Option<&'static str> {
        self.secrets.as_ref().err().copied()
    }

    #[must_use]
    pub fn rate_per_minute(&self) -> Option<u32> {
        self.pace.as_ref().map(|pace| pace.per_minute)
    }
}

/// A source as somebody wants it to be. It has no `Debug`, as a secret may stand in it.
#[derive(Clone)]
pub struct Draft {
    pub name: String,
    pub guard: Guard,
    /// `None`: the secrets stay what they are. A secret that is given takes the place of all.
    pub secret: Option<String>,
    /// `None`: they stay what they are.
    pub rules: Option<Rules>,
    pub stale_after_s: Option<i64>,
    pub rate_per_minute: Option<i64>,
}

impl Draft {
    /// A source that anybody may send to.
    pub(super) fn open(name: &str, rules: Rules) -> Self {
        let (guard, rules) = (Guard::Open {}, Some(rules));
        Self { name: name.to_owned(), guard, secret: None, rules, stale_after_s: None, rate_per_minute: None }
    }

    /// Everything that is wrong with it, but for the secrets.
    #[must_use]
    pub fn check(&self) -> Vec<FieldError> {
        let mut errors = self.guard.check();
        if check_name(&self.name).is_err() {
            errors.push(FieldError::new("name", "has 1 to 64 letters, digits, dots, dashes or underscores"));
        }
        if self.rate_per_minute.is_some_and(|rate| !(1..=MAX_RATE).contains(&rate)) {
            errors.push(FieldError::new("rate_per_minute", format!("is 1 to {MAX_RATE}, or left out")));
        }
        if self.stale_after_s.is_some_and(|seconds| !(1..=LONGEST_STALE_S).contains(&seconds)) {
            errors.push(FieldError::new("stale_after", "is 1 second to 30 days, or left out"));
        }
        errors
    }

    /// The pace that is running when it is the same, else a new one.
    fn pace(&self, running: Option<&Source>) -> Option<Arc<Pace>> {
        let rate = u32::try_from(self.rate_per_minute?).ok()?;
        let same = running.and_then(|source| source.pace.clone()).filter(|pace| pace.per_minute == rate);
        Some(same.unwrap_or_else(|| Arc::new(Pace::new(rate))))
    }
}

/// A new random secret in the form that senders of this guard want.
#[must_use]
pub fn fresh_secret(guard: &Guard) -> String {
    match guard {
        Guard::StandardWebhooks(_) => {
            let bytes: [u8; 24] = std::array::from_fn(|_| rand::random());
            format!("whsec_{}", STANDARD.encode(bytes))
        }
        _ => key::random_hex(20),
    }
}
