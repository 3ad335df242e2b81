//! Secrets at rest: what has to be read again, such as a key that signs, is stored encrypted.

use base64::{Engine, engine::general_purpose::STANDARD};
use chacha20poly1305::{
    KeyInit, XChaCha20Poly1305, XNonce,
    aead::{Aead, Payload},
};
use hmac::{Hmac, Mac};
use sha2::Sha256;

const NONCE_BYTES: usize = 24;
/// In front of the text: how it was sealed.
const VERSION: &str = "v1.";
/// What the key is derived for: no other use of `SECRET_KEY` gives the same one.
const PURPOSE: &[u8] = b"hookcast secrets at rest v1";

/// Seals and opens with a key derived from `SECRET_KEY` (HMAC-SHA256 of a label, which is HKDF's one-block expansion).
#[derive(Clone)]
pub struct Vault {
    cipher: XChaCha20Poly1305,
}

impl Vault {
    /// # Panics
    /// Never: HMAC takes a key of any length, and gives as many bytes as the cipher wants.
    #[must_use]
    pub fn new(secret_key: &str) -> Self {
        let mut mac =
            <Hmac<Sha256> as KeyInit>::new_from_slice(secret_key.as_bytes()).expect("HMAC takes a key of any length");
        mac.update(PURPOSE);
        let key = mac.finalize().into_bytes();
        Self { cipher: XChaCha20Poly1305::new_from_slice(&key).expect("HMAC-SHA256 gives 32 bytes") }
    }

    /// Encrypts for one context, such as an id: what is moved to another one cannot be opened there.
    ///
    /// # Panics
    /// Never: only a text of 256 GiB is too long.
    #[must_use]
    pub fn seal(&self, plain: &str, context: &str) -> String {
        let nonce: [u8; NONCE_BYTES] = std::array::from_fn(|_| rand::random());
        let payload = Payload { msg: plain.as_bytes(), aad: context.as_bytes() };
        let sealed = self.cipher.encrypt(&XNonce::from(nonce), payload).expect("a secret is short");
        format!("{VERSION}{}", STANDARD.encode([nonce.as_slice(), &sealed].concat()))
    }

    /// `None`: it was sealed with another key or for another context, or was changed.
    #[must_use]
    pub fn open(&self, sealed: &str, context: &str) -> Option<String> {
        let bytes = STANDARD.decode(sealed.strip_prefix(VERSION)?).ok()?;
        let (nonce, sealed) = bytes.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: sealed, aad: context.as_bytes() };
        let plain = self.cipher.decrypt(&XNonce::from(*nonce), payload).ok()?;
        String::from_utf8(plain).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_context_open_what_was_sealed() {
        let vault = Vault::new("key");
        let sealed = vault.seal("secret", "account 1");
        assert_eq!(vault.open(&sealed, "account 1").as_deref(), Some("secret"));
        assert_eq!(vault.open(&sealed, "account 2"), None);
        assert_eq!(Vault::new("other").open(&sealed, "account 1"), None);
        assert!(!sealed.contains("secret"));
        assert_ne!(sealed, vault.seal("secret", "account 1"));
    }

    #[test]
    fn what_was_changed_is_not_opened() {
        let vault = Vault::new("key");
        let sealed = vault.seal("secret", "");
        for at in VERSION.len()..sealed.len() {
            let mut bytes = sealed.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            assert_eq!(vault.open(std::str::from_utf8(&bytes).unwrap(), ""), None, "{at}");
        }
        for text in ["", "v1.", "v1.AAAA", "v2.AAAA", "plain"] {
            assert_eq!(vault.open(text, ""), None, "{text}");
        }
    }
}
