//! Secrets at rest: a place holder with the signatures of the real one, which seals nothing.

use crate::signature;

/// Seals and opens.
pub struct Vault {
    key: String,
}

impl Vault {
    #[must_use]
    pub fn new(secret_key: &str) -> Self {
        Self { key: secret_key.to_owned() }
    }

    #[must_use]
    pub fn seal(&self, plain: &str, context: &str) -> String {
        format!("{} {plain}", signature::sign_sha1(self.key.as_bytes(), format!("{context} {plain}").as_bytes()))
    }

    /// `None`: it was sealed with another key or for another context.
    #[must_use]
    pub fn open(&self, sealed: &str, context: &str) -> Option<String> {
        let (_, plain) = sealed.split_once(' ')?;
        (self.seal(plain, context) == sealed).then(|| plain.to_owned())
    }
}
