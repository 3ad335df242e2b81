//! Guards whose sender signs the body with an HMAC, without a time, or with one in a header of its own.

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{
    key,
    signature::{self, Algorithm},
};

use super::{
    Encoding, Hmac, Rejection, Request, Secrets,
    rejection::{hex_length, in_time, seconds},
};

/// A scheme that signs the body alone.
pub struct Scheme {
    header: &'static str,
    prefix: &'static str,
    algorithm: Algorithm,
    encoding: Encoding,
}

/// `PyWebhooks` 0.5.5, and our own producer's accounts.
pub const ACCOUNTS_API: Scheme =
    Scheme { header: "pywebhooks-signature", prefix: "", algorithm: Algorithm::Sha1, encoding: Encoding::Hex };
/// <https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries>
pub const GITHUB: Scheme =
    Scheme { header: "X-Hub-Signature-256", prefix: "sha256=", algorithm: Algorithm::Sha256, encoding: Encoding::Hex };
/// <https://shopify.dev/docs/apps/build/webhooks/subscribe/https>
pub const SHOPIFY: Scheme =
    Scheme { header: "X-Shopify-Hmac-SHA256", prefix: "", algorithm: Algorithm::Sha256, encoding: Encoding::Base64 };

pub fn body(scheme: &Scheme, secrets: &Secrets, request: &Request<'_>) -> Result<(), Rejection> {
    let Scheme { header, prefix, algorithm, encoding } = *scheme;
    let offered = signature_in(request, header, prefix)?;
    let matches = matcher(algorithm, encoding, offered);
    let found = secrets.any(|secret| matches(secret.as_bytes(), &[request.body]));
    if found { Ok(()) } else { Err(no_match(header, offered, algorithm, encoding)) }
}

pub fn any(hmac: &Hmac, secrets: &Secrets, request: &Request<'_>, now_s: i64) -> Result<(), Rejection> {
    let offered = signature_in(request, &hmac.header, &hmac.prefix)?;
    let stamp = hmac.timestamp_header.as_deref().map(|header| Ok((header, request.text(header)?))).transpose()?;
    let parts = parts(hmac.signed.as_deref().unwrap_or("{body}"), request.body, stamp.map_or("", |(_, text)| text));
    let matches = matcher(hmac.algorithm, hmac.encoding, offered);
    if !secrets.any(|secret| matches(secret.as_bytes(), &parts)) {
        return Err(no_match(&hmac.header, offered, hmac.algorithm, hmac.encoding));
    }
    stamp.map_or(Ok(()), |(header, text)| in_time(seconds(text, header)?, hmac.tolerance_s, now_s))
}

fn signature_in<'a>(request: &'a Request<'_>, header: &str, prefix: &str) -> Result<&'a str, Rejection> {
    let text = request.text(header)?;
    let malformed = || Rejection::malformed(format!("the header {header} does not begin with {prefix:?}"));
    text.strip_prefix(prefix).ok_or_else(malformed)
}

/// Whether the HMAC of some parts is the one that was offered.
fn matcher(algorithm: Algorithm, encoding: Encoding, offered: &str) -> impl Fn(&[u8], &[&[u8]]) -> bool {
    let offered = match encoding {
        Encoding::Hex => offered.to_ascii_lowercase(),
        Encoding::Base64 => offered.to_owned(),
    };
    move |secret, parts| {
        let mac = signature::hmac(algorithm, secret, parts);
        let ours = match encoding {
            Encoding::Hex => key::hex(&mac),
            Encoding::Base64 => STANDARD.encode(mac),
        };
        key::equal(ours.as_bytes(), offered.as_bytes())
    }
}

/// A signature of another length was made by another algorithm or is written otherwise, which is worth a word.
fn no_match(header: &str, offered: &str, algorithm: Algorithm, encoding: Encoding) -> Rejection {
    let expected = match encoding {
        Encoding::Hex => hex_length(algorithm),
        Encoding::Base64 => (hex_length(algorithm) / 2).div_ceil(3) * 4,
    };
    if offered.len() == expected {
        return Rejection::no_match(header);
    }
    Rejection::malformed(format!(
        "the signature in {header} has {} characters and should have {expected}; is it of another algorithm or encoding?",
        offered.len()
    ))
}

/// The template cut where the body and the time stamp stand in it.
fn parts<'a>(mut template: &'a str, body: &'a [u8], stamp: &'a str) -> Vec<&'a [u8]> {
    let marks = [("{body}", body), ("{timestamp}", stamp.as_bytes())];
    let mut parts = Vec::new();
    loop {
        let found = marks.iter().filter_map(|(mark, value)| Some((template.find(mark)?, mark.len(), *value)));
        let Some((at, length, value)) = found.min_by_key(|(at, ..)| *at) else {
            parts.push(template.as_bytes());
            return parts;
        };
        parts.extend([&template.as_bytes()[..at], value]);
        template = &template[at + length..];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_cut_where_its_marks_stand() {
        let cases = [
            ("{body}", "BODY"),
            ("v0:{timestamp}:{body}", "v0:7:BODY"),
            ("{body}.{timestamp}", "BODY.7"),
            ("{timestamp}{timestamp}{", "77{"),
        ];
        for (template, expected) in cases {
            assert_eq!(parts(template, b"BODY", "7").concat(), expected.as_bytes(), "{template}");
        }
    }
}
