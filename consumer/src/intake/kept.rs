//! What is kept of a request with each of its events.

use std::{borrow::Cow, net::SocketAddr, sync::Arc};

use axum::{
    extract::ConnectInfo,
    http::{HeaderValue, request::Parts},
};
use serde::Serialize;

use crate::{
    guards::Guard,
    secrets::{MASK, is_secret, is_secret_header},
};

/// Bytes of path and headers that are kept with one event, and with all events of one request together.
const MAX_KEPT: usize = 8 * 1024;
const MAX_KEPT_OF_ALL: usize = 128 * 1024;

#[derive(Serialize)]
struct Described<'a> {
    method: &'a str,
    path: &'a str,
    remote: Option<String>,
    headers: Vec<(&'a str, &'a str)>,
}

/// The request as JSON, the shorter the more `events` it is stored with; what carries a secret by its name, or by the guard of the source, is masked.
pub fn describe(parts: &Parts, events: usize, guard: Option<&Guard>) -> Arc<str> {
    let mut left = MAX_KEPT.min(MAX_KEPT_OF_ALL / events.max(1));
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let path = without_secrets(path, guard);
    let path = &path[..path.floor_char_boundary(left)];
    left -= path.len();
    let mut headers = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        let is_secret = is_secret_header(name.as_str()) || guard.is_some_and(|guard| guard.hides_header(name));
        let value = if is_secret { MASK } else { text(value) };
        let Some(rest) = left.checked_sub(name.as_str().len() + value.len()) else { break };
        left = rest;
        headers.push((name.as_str(), value));
    }
    let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_string());
    let described = Described { method: parts.method.as_str(), path, remote, headers };
    serde_json::to_string(&described).unwrap_or_else(|_| "{}".into()).into()
}

/// A header's value as it is kept.
pub fn text(value: &HeaderValue) -> &str {
    value.to_str().unwrap_or("(not text)")
}

/// The path as it was, but for a token in it and for the values of parameters that carry secrets.
fn without_secrets<'a>(asked: &'a str, guard: Option<&Guard>) -> Cow<'a, str> {
    let (path, query) = asked.split_once('?').map_or((asked, None), |(path, query)| (path, Some(query)));
    let path = without_token(path);
    let Some(query) = query else { return path };
    let shown = query.split('&').map(|pair| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name).unwrap_or_default();
        let hidden = is_secret(&name) || guard.is_some_and(|guard| guard.hides_parameter(&name));
        match pair.split_once('=') {
            Some((raw, _)) if hidden => Cow::Owned(format!("{raw}={MASK}")),
            _ => Cow::Borrowed(pair),
        }
    });
    Cow::Owned(format!("{path}?{}", shown.collect::<Vec<_>>().join("&")))
}

/// `/consumetasks/SOURCE/TOKEN` without the token, whether or not it is one.
fn without_token(path: &str) -> Cow<'_, str> {
    let token = path.match_indices('/').nth(2).filter(|(slash, _)| !path[slash + 1..].is_empty());
    token.map_or(Cow::Borrowed(path), |(slash, _)| Cow::Owned(format!("{}/{MASK}", &path[..slash])))
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(path: &str, headers: &[(&str, &str)]) -> Parts {
        let request = headers.iter().fold(Request::post(path), |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn a_long_request_is_not_stored_whole_with_each_of_many_events() {
        let parts = parts(&format!("/{}", "p".repeat(3000)), &[("x-long", &"v".repeat(4000)), ("x-more", "1")]);
        let whole = describe(&parts, 1, None);
        assert!(whole.len() > 7000 && whole.contains("x-more"));
        assert_eq!(whole, describe(&parts, 16, None));
        assert!(describe(&parts, 1000, None).len() < 300, "{}", describe(&parts, 1000, None));
    }

    #[test]
    fn secrets_are_not_kept_and_signatures_are() {
        let headers = [("x-gitlab-token", "s3"), ("X-Api-Key", "s3"), ("cookie", "s3"), ("webhook-signature", "v1,x")];
        let path = "/consumetasks?a=1&access_token=s3&to%6ben2=s3&b&PASSWORD=s3=";
        let kept = describe(&parts(path, &headers), 1, None);
        assert!(!kept.contains("s3") && kept.contains(r#"["webhook-signature","v1,x"]"#), "{kept}");
        assert!(kept.contains("/consumetasks?a=1&access_token=•••&to%6ben2=•••&b&PASSWORD=•••"), "{kept}");
        assert!(kept.contains(r#"["x-gitlab-token","•••"]"#), "{kept}");
    }
    #[test]
    fn what_the_guard_hides_is_not_kept() {
        let guard = |json: &str| serde_json::from_str::<Guard>(json).unwrap();
        let kept = |path: &str, json: &str| describe(&parts(path, &[("x-mine", "s3")]), 1, Some(&guard(json)));
        for (path, json) in [
            ("/consumetasks/a?k=x&b=1", r#"{"kind":"token","in":"header","name":"X-Mine"}"#),
            ("/consumetasks/a/s3", r#"{"kind":"token","in":"path"}"#),
            ("/consumetasks/a/s3/?b=s", r#"{"kind":"token","in":"path"}"#),
            ("/consumetasks/a?k=s3", r#"{"kind":"token","in":"query","name":"k"}"#),
        ] {
            let kept = kept(path, json).replace(r#"["x-mine","s3"]"#, "");
            assert!(!kept.contains("s3") && kept.contains("/consumetasks/a"), "{path} {kept}");
        }
    }
}
