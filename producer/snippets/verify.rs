// Cargo.toml: base64 = "0.22", hmac = "0.13", sha2 = "0.11", subtle = "2.6"
use std::time::{SystemTime, UNIX_EPOCH};

use base64::{Engine, prelude::BASE64_STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// Whether the request is genuine and at most 5 minutes old. The second to fourth argument are the headers `webhook-id`,
/// `webhook-timestamp` and `webhook-signature`; `body` is the raw body, not yet parsed.
pub fn verify_webhook(secret_key: &str, id: &str, timestamp: &str, signatures: &str, body: &[u8]) -> bool {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
    if !timestamp.parse().is_ok_and(|sent_s: u64| now_s.abs_diff(sent_s) <= 300) {
        return false;
    }
    let Ok(mac) = Hmac::<Sha256>::new_from_slice(secret_key.as_bytes()) else { return false };
    let mac = mac.chain_update(format!("{id}.{timestamp}.")).chain_update(body);
    let expected = format!("v1,{}", BASE64_STANDARD.encode(mac.finalize().into_bytes()));
    // While the key is being rotated, there is a signature of the old and one of the new.
    signatures.split(' ').any(|given| given.as_bytes().ct_eq(expected.as_bytes()).into())
}
