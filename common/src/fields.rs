//! The fields of a form that a page of ours sent, as they were typed.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};

use crate::problem::Problem;

/// Bytes of a form, texts as they are encoded in one; a router of forms sets it as its limit.
pub const FORM_LIMIT: usize = 2 << 20;

/// The fields of a form, none of which has a NUL.
pub struct Fields(Vec<(String, String)>);

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        match Bytes::from_request(request, state).await {
            Ok(body) => Self::parse(&body),
            Err(_) => {
                Err(Problem::too_large(format!("The form cannot be read: it has at most {} MiB.", FORM_LIMIT >> 20)))
            }
        }
    }
}

impl Fields {
    fn parse(body: &[u8]) -> Result<Self, Problem> {
        let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
        match fields.iter().find(|(_, value)| value.contains('\0')) {
            Some((name, _)) => Err(Problem::bad_request(format!("{name}: a NUL is in no text here; leave it out."))),
            None => Ok(Self(fields)),
        }
    }

    /// The field as it was typed.
    #[must_use]
    pub fn raw(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// Whether the name, or the id, of what is to be deleted was typed.
    #[must_use]
    pub fn confirms(&self, name: &str, id: &str) -> bool {
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let typed = self.get("confirm");
        typed == id || (!typed.is_empty() && words(typed) == words(name))
    }

    /// The field without blanks around it; empty when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.raw(name).trim()
    }

    /// Every field of this name, without blanks around it.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    #[must_use]
    pub fn owned(&self, name: &str) -> String {
        self.get(name).to_owned()
    }
}
