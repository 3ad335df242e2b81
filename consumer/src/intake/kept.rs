//! What is kept of a request with each of its events.

use std::{borrow::Cow, net::SocketAddr, sync::Arc};

use axum::{
    extract::ConnectInfo,
    http::{HeaderName, header, request::Parts},
};
use serde::Serialize;

/// Bytes of path and headers that are kept with one event, and with all events of one request together.
const MAX_KEPT: usize = 8 * 1024;
const MAX_KEPT_OF_ALL: usize = 128 * 1024;
/// Headers that carry secrets: their presence is kept, their value is not.
const SECRET_HEADERS: [HeaderName; 3] = [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE];
/// Parts of the names of other headers, and of parameters of the path, that carry them.
const SECRET_NAMES: [&str; 4] = ["token", "secret", "key", "password"];
const MASK: &str = "•••";

#[derive(Serialize)]
struct Described<'a> {
    method: &'a str,
    path: &'a str,
    remote: Option<String>,
    headers: Vec<(&'a str, &'a str)>,
}

/// The request as JSON, the shorter the more `events` it is stored with.
pub fn describe(parts: &Parts, events: usize) -> Arc<str> {
    let mut left = MAX_KEPT.min(MAX_KEPT_OF_ALL / events.max(1));
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let path = without_secrets(path);
    let path = &path[..path.floor_char_boundary(left)];
    left -= path.len();
    let mut headers = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        let is_secret = SECRET_HEADERS.contains(name) || is_secret(name.as_str());
        let value = if is_secret { MASK } else { value.to_str().unwrap_or("(not text)") };
        let Some(rest) = left.checked_sub(name.as_str().len() + value.len()) else { break };
        left = rest;
        headers.push((name.as_str(), value));
    }
    let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_string());
    let described = Described { method: parts.method.as_str(), path, remote, headers };
    serde_json::to_string(&described).unwrap_or_else(|_| "{}".into()).into()
}

/// Whether a header or a parameter of this name carries a secret.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_NAMES.iter().any(|part| name.contains(part))
}

/// The path as it was, but for the values of parameters whose names speak of secrets.
fn without_secrets(path: &str) -> Cow<'_, str> {
    let Some((path, query)) = path.split_once('?') else { return Cow::Borrowed(path) };
    let shown = query.split('&').map(|pair| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name).unwrap_or_default();
        match pair.split_once('=') {
            Some((raw, _)) if is_secret(&name) => Cow::Owned(format!("{raw}={MASK}")),
            _ => Cow::Borrowed(pair),
        }
    });
    Cow::Owned(format!("{path}?{}", shown.collect::<Vec<_>>().join("&")))
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
        let whole = describe(&parts, 1);
        assert!(whole.len() > 7000 && whole.contains("x-more"));
        assert_eq!(whole, describe(&parts, 16));
        assert!(describe(&parts, 1000).len() < 300, "{}", describe(&parts, 1000));
    }

    #[test]
    fn secrets_are_not_kept_and_signatures_are() {
        let headers = [("x-gitlab-token", "s3"), ("X-Api-Key", "s3"), ("cookie", "s3"), ("webhook-signature", "v1,x")];
        let path = "/consumetasks?a=1&access_token=s3&to%6ben2=s3&b&PASSWORD=s3=";
        let kept = describe(&parts(path, &headers), 1);
        assert!(!kept.contains("s3") && kept.contains(r#"["webhook-signature","v1,x"]"#), "{kept}");
        assert!(kept.contains("/consumetasks?a=1&access_token=•••&to%6ben2=•••&b&PASSWORD=•••"), "{kept}");
        assert!(kept.contains(r#"["x-gitlab-token","•••"]"#), "{kept}");
    }
}
