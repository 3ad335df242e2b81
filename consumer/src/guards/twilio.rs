//! Twilio: HMAC-SHA1 over the address it was told to call and, sorted by name, the fields of the form; of a JSON body the address has the hash.
//!
//! <https://www.twilio.com/docs/usage/security#validating-requests>; like Twilio's own libraries, the address is tried with and without its port.

use std::borrow::Cow;

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{
    key,
    signature::{self, Algorithm},
};
use http::header;

use super::{Kind, Rejection, Request, Secrets};

const HEADER: &str = "X-Twilio-Signature";
const HASH: &str = "bodySHA256";

/// `url` is the address that Twilio was told, without the query that it adds itself.
pub fn verify(url: &str, secrets: &Secrets, request: &Request<'_>) -> Result<(), Rejection> {
    let offered = request.text(HEADER)?;
    let address = called(url, request.query);
    let hash = parameter(request.query, HASH);
    let fields = if hash.is_some() { String::new() } else { sorted_fields(request)? };
    let addresses = [with_port(&address), without_port(&address), Cow::Borrowed(address.as_str())];
    let found = secrets.any(|secret| {
        let signs = |address: &Cow<str>| {
            let parts = [address.as_bytes(), fields.as_bytes()];
            let ours = STANDARD.encode(signature::hmac(Algorithm::Sha1, secret.as_bytes(), &parts));
            key::equal(ours.as_bytes(), offered.as_bytes())
        };
        addresses.iter().fold(false, |found, address| signs(address) | found)
    });
    if !found {
        let reason = format!(
            "no signature in {HEADER} is made with an auth token of this source for {url}; is that the address Twilio was told?"
        );
        return Err(Rejection::new(Kind::NoMatch, reason));
    }
    match hash {
        Some(hash) if !key::equal(hash.to_ascii_lowercase().as_bytes(), body_hash(request).as_bytes()) => {
            Err(Rejection::new(Kind::NoMatch, format!("the body is not the one whose hash {HASH} tells")))
        }
        _ => Ok(()),
    }
}

/// The configured address as it was called: with the query of the request, where the address has none of its own.
fn called(url: &str, query: &str) -> String {
    let (base, own) = url.split_once('?').map_or((url, ""), |(base, own)| (base, own));
    match (own, query) {
        (_, "") => url.to_owned(),
        // A proxy may hide the query from us, and Twilio may add to it.
        (own, query) if query.contains(own) => format!("{base}?{query}"),
        (own, query) => format!("{base}?{own}&{query}"),
    }
}

fn body_hash(request: &Request<'_>) -> String {
    key::hex(&key::sha256(request.body))
}

/// Names and values without anything between them, in the order of the names; a value that comes twice under one name is signed once.
fn sorted_fields(request: &Request<'_>) -> Result<String, Rejection> {
    let kind = request.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if !kind.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") {
        if request.body.is_empty() {
            return Ok(String::new());
        }
        return Err(Rejection::malformed(format!("the body is no form, and the address has no {HASH}")));
    }
    let mut fields: Vec<_> = form_urlencoded::parse(request.body).collect();
    fields.sort();
    fields.dedup();
    Ok(fields.into_iter().flat_map(|(name, value)| [name, value]).collect())
}

fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find_map(|(sent, value)| (sent == name).then(|| value.into_owned()))
}

/// Scheme, host and the rest, the port left out, and the port.
fn split(address: &str) -> Option<(&str, &str, Option<&str>, &str)> {
    let (scheme, rest) = address.split_once("://")?;
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => Some((scheme, host, Some(port), rest)),
        _ => Some((scheme, authority, None, rest)),
    }
}

fn with_port(address: &str) -> Cow<'_, str> {
    match split(address) {
        Some((scheme, host, None, rest)) => {
            let port = if scheme == "http" { 80 } else { 443 };
            format!("{scheme}://{host}:{port}{rest}").into()
        }
        _ => address.into(),
    }
}

fn without_port(address: &str) -> Cow<'_, str> {
    match split(address) {
        Some((scheme, host, Some(_), rest)) => format!("{scheme}://{host}{rest}").into(),
        _ => address.into(),
    }
}
