//! What is kept of a request with each of its events.

use std::{net::SocketAddr, sync::Arc};

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
    let path = &path[..path.floor_char_boundary(left)];
    left -= path.len();
    let mut headers = Vec::with_capacity(parts.headers.len());
    for (name, value) in &parts.headers {
        let value = if SECRET_HEADERS.contains(name) { MASK } else { value.to_str().unwrap_or("(not text)") };
        let Some(rest) = left.checked_sub(name.as_str().len() + value.len()) else { break };
        left = rest;
        headers.push((name.as_str(), value));
    }
    let remote = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip().to_string());
    let described = Described { method: parts.method.as_str(), path, remote, headers };
    serde_json::to_string(&described).unwrap_or_else(|_| "{}".into()).into()
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
}
