//! Where a form of a device leads back to: to the page of the device, or to the list as it was filtered.

use axum::response::{IntoResponse, Redirect, Response};
use common::fields::Fields;

use super::list::Filter;

/// A page, and what stands in its query.
pub struct Back {
    path: String,
    query: Vec<(&'static str, String)>,
}

impl Back {
    /// By the field `back`: `list`, with the filter behind a question mark; anything else is the page of the device.
    pub fn of(fields: &Fields, id: &str) -> Self {
        let Some(filter) = fields.get("back").strip_prefix("list") else {
            return Self { path: format!("/screens/{id}"), query: Vec::new() };
        };
        Self { path: "/screens".into(), query: Filter::written(filter.trim_start_matches('?')).pairs() }
    }

    pub fn is_list(&self) -> bool {
        self.path == "/screens"
    }

    /// Leads there, where it is said what was done, and by which execution.
    pub fn after(self, said: &str, execution: Option<&str>) -> Response {
        let mut query = form_urlencoded::Serializer::new(String::new());
        query.extend_pairs(self.query).append_pair("said", said);
        if let Some(id) = execution {
            query.append_pair("execution", id);
        }
        Redirect::to(&format!("{}?{}", self.path, query.finish())).into_response()
    }
}
