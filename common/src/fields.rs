//! The fields of a form that a page of ours sent, as they were typed.

use axum::{
    body::Bytes,
    extract::{FromRequest, Request},
};

use crate::problem::Problem;

/// Bytes of a form, texts as they are encoded in one; a router of forms sets it as its limit.
pub const FORM_LIMIT: usize = 2 << 20;

/// As many as no page of ours has: each takes far more room than its two bytes.
const MAX_FIELDS: usize = 10_000;

/// The fields of a form, none of which has a NUL.
#[derive(Debug)]
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
        let fields: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().take(MAX_FIELDS + 1).collect();
        if fields.len() > MAX_FIELDS {
            return Err(Problem::too_large(format!("The form cannot be read: it has at most {MAX_FIELDS} fields.")));
        }
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

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_form_is_read_field_by_field_or_refused(body in prop::collection::vec(prop_oneof![any::<u8>(), Just(b'&'), Just(b'='), Just(b'%'), Just(b'0')], 0..200)) {
            match Fields::parse(&body) {
                Ok(fields) => prop_assert!(fields.0.iter().all(|(_, value)| !value.contains('\0'))),
                Err(problem) => prop_assert_eq!(problem.status, 400),
            }
        }

        #[test]
        fn what_was_typed_is_read(fields in prop::collection::vec(("[a-z]{1,6}", "[^\0]{0,20}"), 0..6)) {
            let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(&fields).finish();
            prop_assert_eq!(Fields::parse(body.as_bytes()).unwrap().0, fields);
        }
    }

    #[test]
    fn a_form_of_very_many_fields_is_refused() {
        let problem = Fields::parse("a&".repeat(MAX_FIELDS + 1).as_bytes()).unwrap_err();
        assert_eq!(problem.status, 413);
        assert!(Fields::parse("a&".repeat(MAX_FIELDS).as_bytes()).is_ok());
    }
}
