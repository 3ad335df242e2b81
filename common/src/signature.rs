//! Signing what leaves and checking what arrives, by the Standard Webhooks specification (symmetric signatures, `v1`), and HMAC for other schemes.

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac, digest::block_api::EagerHash};
use serde::{Deserialize, Serialize};
use sha1::Sha1;
use sha2::{Sha256, Sha512};

use crate::key;

/// How far a time stamp may lie from the receiver's clock, in seconds.
pub const TOLERANCE_S: i64 = 300;

/// Why a signature was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The time stamp is older or newer than [`TOLERANCE_S`].
    OutOfTime,
    /// None of the signatures in the header is ours.
    NoMatch,
}

/// The hash under an HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

/// The HMAC of the parts one after the other.
#[must_use]
pub fn hmac(algorithm: Algorithm, secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    match algorithm {
        Algorithm::Sha1 => hmac_of::<Sha1>(secret, parts),
        Algorithm::Sha256 => hmac_of::<Sha256>(secret, parts),
        Algorithm::Sha512 => hmac_of::<Sha512>(secret, parts),
    }
}

fn hmac_of<H: EagerHash>(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = <Hmac<H> as KeyInit>::new_from_slice(secret).expect("HMAC takes a key of any length");
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

/// The bytes of a secret: what follows `whsec_` in Base64, or the text itself when it is not of that form.
#[must_use]
pub fn secret_bytes(secret: &str) -> Vec<u8> {
    secret
        .strip_prefix("whsec_")
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .unwrap_or_else(|| secret.as_bytes().to_vec())
}

/// The value of `webhook-signature`: `v1,` and the Base64 of HMAC-SHA256 over `id.timestamp.body`; the time stamp is in seconds since 1970.
#[must_use]
pub fn sign(secret: &[u8], id: &str, timestamp_s: i64, body: &[u8]) -> String {
    let head = format!("{id}.{timestamp_s}.");
    format!("v1,{}", STANDARD.encode(hmac(Algorithm::Sha256, secret, &[head.as_bytes(), body])))
}

/// The value of `pywebhooks-signature`: HMAC-SHA1 over the body, in lower-case hex.
#[must_use]
pub fn sign_sha1(secret: &[u8], body: &[u8]) -> String {
    key::hex(&hmac(Algorithm::Sha1, secret, &[body]))
}

/// Checks one `webhook-signature` header, which may hold several signatures separated by spaces.
///
/// # Errors
/// Says why the request is not to be believed.
pub fn verify(
    secret: &[u8],
    (id, timestamp_s): (&str, i64),
    body: &[u8],
    header: &str,
    now_s: i64,
) -> Result<(), Rejection> {
    if now_s.abs_diff(timestamp_s) > TOLERANCE_S.unsigned_abs() {
        return Err(Rejection::OutOfTime);
    }
    let ours = sign(secret, id, timestamp_s, body);
    let found = header.split(' ').any(|theirs| key::equal(theirs.as_bytes(), ours.as_bytes()));
    if found { Ok(()) } else { Err(Rejection::NoMatch) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    /// The example that the specification's own libraries test with.
    const EXPECTED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn secret() -> Vec<u8> {
        secret_bytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    }

    #[test]
    fn the_specifications_example_is_signed_as_it_says() {
        assert_eq!(sign(&secret(), ID, 1_614_265_330, BODY), EXPECTED);
    }

    #[test]
    fn one_good_signature_among_several_is_enough_and_a_changed_body_is_not_accepted() {
        let header = format!("v1,AAAA {EXPECTED} v1a,BBBB");
        let stamp = (ID, 1_614_265_330);
        assert_eq!(verify(&secret(), stamp, BODY, &header, 1_614_265_331), Ok(()));
        assert_eq!(verify(&secret(), stamp, b"{}", &header, 1_614_265_331), Err(Rejection::NoMatch));
        assert_eq!(verify(&secret(), stamp, BODY, &header, 1_614_266_000), Err(Rejection::OutOfTime));
    }
}
