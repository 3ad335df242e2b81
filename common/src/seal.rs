//! Encryption at rest of the secrets that must be readable again, such as accounts' signing keys.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    Key, KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// Separates this key from whatever else is derived from the same secret.
const PURPOSE: &[u8] = b"hookcast: secrets at rest, v1";
const VERSION: &str = "v1.";
const NONCE_BYTES: usize = 24;

/// Seals texts and opens them again. It has no `Debug`, so that its key is never printed.
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// The vault's key is HMAC-SHA256 of a purpose label, keyed with `secret_key`: whoever has the same `SECRET_KEY` opens what was sealed.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    #[must_use]
    pub fn new(secret_key: &str) -> Self {
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret_key.as_bytes());
        let mut mac = mac.expect("HMAC takes a key of any length");
        mac.update(PURPOSE);
        let key: [u8; 32] = mac.finalize().into_bytes().into();
        Self { cipher: XChaCha20Poly1305::new(&Key::from(key)) }
    }

    /// `v1.` and the Base64 of a random nonce with the XChaCha20-Poly1305 ciphertext. Only the same `context`, such as the id
    /// of the owner, opens it again: a sealed text that is copied to another row is of no use there.
    ///
    /// # Panics
    /// Never for a text that fits in memory: the cipher takes 256 GiB.
    #[must_use]
    pub fn seal(&self, plain: &str, context: &str) -> String {
        let nonce: [u8; NONCE_BYTES] = rand::random();
        let payload = Payload { msg: plain.as_bytes(), aad: context.as_bytes() };
        let ciphertext = self.cipher.encrypt(&XNonce::from(nonce), payload).expect("the text is below 256 GiB");
        format!("{VERSION}{}", STANDARD.encode([&nonce[..], &ciphertext].concat()))
    }

    /// `None` when it was sealed with another key or for another context, was changed, or is not a sealed text.
    #[must_use]
    pub fn open(&self, sealed: &str, context: &str) -> Option<String> {
        let bytes = STANDARD.decode(sealed.strip_prefix(VERSION)?).ok()?;
        let (nonce, ciphertext) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: ciphertext, aad: context.as_bytes() };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "c27e823b0a500a537990dcccfc50334fe814fbd2";

    #[test]
    fn what_is_sealed_opens_with_the_same_key_and_context_only() {
        let vault = Vault::new("key");
        let sealed = vault.seal(SECRET, "account-1");
        assert!(sealed.starts_with("v1.") && !sealed.contains(SECRET));
        assert_eq!(Vault::new("key").open(&sealed, "account-1").as_deref(), Some(SECRET));
        assert_eq!(vault.open(&sealed, "account-2"), None);
        assert_eq!(Vault::new("another").open(&sealed, "account-1"), None);
        assert_eq!(vault.open(&vault.seal("", "account-1"), "account-1").as_deref(), Some(""));
    }

    #[test]
    fn two_seals_of_one_text_differ() {
        let vault = Vault::new("key");
        assert_ne!(vault.seal(SECRET, "a"), vault.seal(SECRET, "a"));
    }

    #[test]
    fn one_changed_byte_and_what_is_no_seal_do_not_open() {
        let vault = Vault::new("key");
        let bytes = STANDARD.decode(&vault.seal(SECRET, "a")[VERSION.len()..]).unwrap();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            assert_eq!(vault.open(&format!("{VERSION}{}", STANDARD.encode(changed)), "a"), None, "byte {at}");
        }
        for text in ["", "v1.", "v1.AAAA", "v1.?", "v2.AAAA", SECRET] {
            assert_eq!(vault.open(text, "a"), None, "{text}");
        }
    }
}
