//! What stands around each page of actions, and what a page confirms after a form.

use axum::response::{IntoResponse, Redirect, Response};
use common::time::{now_ms, rfc3339};
use serde::Deserialize;

use super::address;
use crate::App;

pub struct Head {
    pub served_at: String,
    pub producer_url: String,
    pub said: Option<&'static str>,
    /// Where the page can be read again.
    pub own: String,
}

impl Head {
    pub fn new(app: &App, own: impl Into<String>) -> Self {
        let producer_url = app.config.producer_url.clone();
        Self { served_at: rfc3339(now_ms()), producer_url, said: None, own: own.into() }
    }

    pub fn saying(self, said: &Said) -> Self {
        Self { said: said.words(), ..self }
    }
}

/// What stands in the query after a form: the redirect names it, so that showing the page again repeats nothing.
#[derive(Default, Deserialize)]
pub struct Said {
    said: Option<String>,
}

/// Leads to the page, which says what was done.
pub fn after(path: &str, pairs: &[(&str, &str)], said: &str) -> Response {
    let pairs: Vec<(&str, &str)> = pairs.iter().copied().chain([("said", said)]).collect();
    Redirect::to(&address(path, &pairs)).into_response()
}

impl Said {
    /// The words for what the query names; nothing else of it is shown.
    fn words(&self) -> Option<&'static str> {
        Some(match self.said.as_deref()? {
            "made" => "Made. Whoever calls its event id runs it from now on.",
            "saved" => "Saved. It holds from the next call on.",
            "deleted" => "Deleted. What it did stays in the audit.",
            "key-saved" => "Saved. It holds from the next call on; the key itself stays as it is.",
            "key-deleted" => "Deleted. Whoever still sends this key is told 401.",
            "tested" => "Started. What becomes of it on each device is shown below as it happens.",
            _ => return None,
        })
    }
}
