//! What a page confirms after a form: the redirect names it, so that showing the page again repeats nothing.

use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;

/// What stands in the query after a form.
#[derive(Default, Deserialize)]
pub struct Said {
    said: Option<String>,
}

/// Leads to the page, which says what was done.
pub fn after(path: &str, code: &str) -> Response {
    Redirect::to(&format!("{path}?said={code}")).into_response()
}

impl Said {
    /// The words for what the query names; nothing else of it is shown.
    pub fn words(&self) -> Option<&'static str> {
        Some(match self.said.as_deref()? {
            "made" => "Made. It takes events from now on.",
            "saved" => "Saved. It holds from the next request on.",
            "rotated" => "New secret. The one before it is good as well, until you finish the rotation.",
            "settled" => "Only the newest secret is good now.",
            "removed" => "Removed. Its events stay in the log.",
            "rules" => {
                "Rules saved. New events are read with them; those that are here already can be read again below."
            }
            "reread" => "Reading them again. The counts move as it goes.",
            _ => return None,
        })
    }
}
