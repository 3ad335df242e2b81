//! Guards to which the sender shows the secret itself: a token, or HTTP Basic.

use base64::{Engine, engine::general_purpose::STANDARD};
use common::key;
use http::header;

use super::{Kind, Place, Rejection, Request, Secrets, Token};

const BASIC: &str = "Basic";

pub fn token(token: &Token, secrets: &Secrets, request: &Request<'_>) -> Result<(), Rejection> {
    let name = token.name.as_deref().unwrap_or_default();
    let (offered, place) = match token.place {
        Place::Path => (request.path_token.map(str::to_owned), "the path".to_owned()),
        Place::Query => (parameter(request.query, name), format!("the parameter {name}")),
        Place::Header => (Some(behind_prefix(token, name, request)?), format!("the header {name}")),
    };
    let missing = || Rejection::new(Kind::Missing, format!("there is no token in {place}"));
    let offered = offered.filter(|offered| !offered.is_empty()).ok_or_else(missing)?;
    if secrets.contain(offered.as_bytes()) {
        return Ok(());
    }
    let reason = format!("the token in {place} is not one of this source");
    Err(Rejection::new(Kind::NoMatch, reason).with_scheme(scheme(token)))
}

fn behind_prefix(token: &Token, name: &str, request: &Request<'_>) -> Result<String, Rejection> {
    let text = request.text(name).map_err(|rejection| rejection.with_scheme(scheme(token)))?;
    let offered = text.strip_prefix(&token.prefix).or_else(|| behind_scheme(&token.prefix, text));
    offered.map(str::to_owned).ok_or_else(|| {
        let reason = format!("the header {name} does not begin with {:?}", token.prefix);
        Rejection::malformed(reason).with_scheme(scheme(token))
    })
}

/// The names of schemes are the same in any case (RFC 9110, section 11.1).
fn behind_scheme<'a>(prefix: &str, text: &'a str) -> Option<&'a str> {
    let (head, offered) = (text.get(..prefix.len())?, text.get(prefix.len()..)?);
    (prefix.ends_with(' ') && head.eq_ignore_ascii_case(prefix)).then_some(offered)
}

/// A token in `Authorization: Bearer` has a name in HTTP.
fn scheme(token: &Token) -> Option<&'static str> {
    let is_bearer = token.place == Place::Header && token.prefix.eq_ignore_ascii_case("Bearer ");
    is_bearer.then_some("Bearer")
}

fn parameter(query: &str, name: &str) -> Option<String> {
    form_urlencoded::parse(query.as_bytes()).find_map(|(sent, value)| (sent == name).then(|| value.into_owned()))
}

pub fn basic(user: &str, secrets: &Secrets, request: &Request<'_>) -> Result<(), Rejection> {
    let judged = match request.headers.get(header::AUTHORIZATION) {
        None => Err(Rejection::missing_header("Authorization")),
        Some(value) => pair(value.as_bytes()).and_then(|(offered, password)| {
            let (user, password) = (key::equal(user.as_bytes(), &offered), secrets.contain(&password));
            match (user, password) {
                (true, true) => Ok(()),
                (true, false) => Err(Rejection::new(Kind::NoMatch, "the password is not one of this source")),
                (false, _) => Err(Rejection::new(Kind::NoMatch, "the user name is not the one of this source")),
            }
        }),
    };
    judged.map_err(|rejection| rejection.with_scheme(Some(BASIC)))
}

/// User and password of `Basic …` (RFC 7617).
fn pair(value: &[u8]) -> Result<(Vec<u8>, Vec<u8>), Rejection> {
    let malformed = || Rejection::malformed("the header Authorization is not HTTP Basic");
    let (scheme, encoded) =
        std::str::from_utf8(value).ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case(BASIC) {
        return Err(malformed());
    }
    let mut pair = STANDARD.decode(encoded.trim()).map_err(|_| malformed())?;
    let colon = pair.iter().position(|byte| *byte == b':').ok_or_else(malformed)?;
    let password = pair.split_off(colon + 1);
    pair.pop();
    Ok((pair, password))
}
