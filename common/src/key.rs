//! Random keys, their hashes, and comparisons that take the same time whatever they compare.

use std::fmt::Write;

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// `bytes` random bytes from the operating system's generator, as lower-case hex.
#[must_use]
pub fn random_hex(bytes: usize) -> String {
    hex(&(0..bytes).map(|_| rand::random::<u8>()).collect::<Vec<_>>())
}

/// SHA-256 of `text`: enough for random keys, which cannot be guessed; a password that a person chose needs a slow hash instead.
#[must_use]
pub fn sha256(text: &[u8]) -> [u8; 32] {
    Sha256::digest(text).into()
}

/// HMAC-SHA256 of `text`, as hex: proof that it comes from who has the key.
#[must_use]
#[expect(clippy::missing_panics_doc, reason = "HMAC takes a key of any length")]
pub fn mac(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(text.as_bytes());
    hex(&mac.finalize().into_bytes())
}

/// The bytes in lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Whether two secrets are equal, in a time that depends on neither's content nor length.
#[must_use]
pub fn equal(left: &[u8], right: &[u8]) -> bool {
    sha256(left).ct_eq(&sha256(right)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_by_content() {
        assert!(equal(b"abc", b"abc"));
        assert!(!equal(b"abc", b"abd") && !equal(b"abc", b"abcd"));
    }

    #[test]
    fn random_keys_differ_and_have_the_asked_length() {
        assert_eq!(random_hex(20).len(), 40);
        assert_ne!(random_hex(20), random_hex(20));
    }
}
