//! The old profile's manners: redirects are followed as Python's `requests` follows them, and only 200 with JSON is a success.

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode, header};
use reqwest::Response;
use serde::de::IgnoredAny;
use url::Url;

use super::{
    answer::{self, Answer, Meaning},
    sign,
};

/// Redirects that are followed, as in `requests`.
pub const MOST_HOPS: usize = 30;
/// So much of an answer is read to see whether it is JSON.
const JSON_BYTES: usize = 1024 * 1024;

/// One request on the way.
pub struct Hop {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    /// Sent with POST only.
    pub body: Bytes,
}

/// Where an answer leads.
pub enum Next {
    /// It is the answer.
    Here,
    Hop(Box<Hop>),
    /// It redirects to this, which is no URL.
    Lost(String),
}

impl Hop {
    /// 307 and 308 are posted again with everything; 301, 302 and 303 become GET without body and `Content-Type`. What is secret stays with its host.
    pub fn next(&self, status: StatusCode, answered: &HeaderMap) -> Next {
        let again = match status.as_u16() {
            307 | 308 => true,
            301..=303 => false,
            _ => return Next::Here,
        };
        let Some(location) = answered.get(header::LOCATION) else { return Next::Here };
        let location = String::from_utf8_lossy(location.as_bytes());
        let Ok(url) = self.url.join(&location) else { return Next::Lost(location.chars().take(200).collect()) };
        let mut headers = self.headers.clone();
        if url.origin() != self.url.origin() {
            let secret: Vec<_> = headers.keys().filter(|name| sign::is_secret(name)).cloned().collect();
            for name in secret {
                headers.remove(name);
            }
        }
        if again {
            let (method, body) = (self.method.clone(), self.body.clone());
            return Next::Hop(Self { method, url, headers, body }.into());
        }
        headers.remove(header::CONTENT_TYPE);
        Next::Hop(Self { method: Method::GET, url, headers, body: Bytes::new() }.into())
    }
}

/// Reads the answer: exactly 200 and a body that is JSON is a success.
pub async fn judge(mut response: Response) -> Answer {
    let status = response.status();
    let headers = sign::kept(response.headers());
    let (body, whole) = beginning(&mut response).await;
    let name = status.canonical_reason().unwrap_or("an unknown status");
    let failure = if status != StatusCode::OK {
        Some(("status", format!("{} {name}: only 200 with a body of JSON counts as received", status.as_u16())))
    } else if whole && is_json(&body) {
        None
    } else {
        Some(("body", "200 OK, but its body is not JSON: answer with JSON, such as {}".to_owned()))
    };
    let (reason, detail) = failure.unzip();
    Answer {
        meaning: if reason.is_none() { Meaning::Delivered } else { Meaning::Later },
        status: Some(status.as_u16()),
        reason,
        detail,
        response: answer::text(&body[..body.len().min(answer::KEPT_BYTES)]),
        retry_after: None,
        request_headers: None,
        response_headers: Some(headers),
    }
}

/// The body's beginning, and whether that is all of it.
async fn beginning(response: &mut Response) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) if body.len() + chunk.len() <= JSON_BYTES => body.extend_from_slice(&chunk),
            Ok(None) => return (body, true),
            Ok(Some(_)) | Err(_) => return (body, false),
        }
    }
}

fn is_json(body: &[u8]) -> bool {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
    serde_json::from_slice::<IgnoredAny>(body).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hop(headers: &[(&'static str, &'static str)]) -> Hop {
        let headers = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Hop { method: Method::POST, url: "http://a.example/hooks".parse().unwrap(), headers, body: "{}".into() }
    }

    fn to(location: &'static str) -> HeaderMap {
        [(header::LOCATION, location.parse().unwrap())].into_iter().collect()
    }

    #[test]
    fn a_redirect_is_posted_again_or_becomes_a_get_and_secrets_stay_with_their_host() {
        let hop = hop(&[("content-type", "application/json"), ("x-api-key", "k"), ("event", "e")]);
        for (status, location, method, kept) in [
            (307, "/other", Method::POST, vec!["content-type", "event", "x-api-key"]),
            (308, "http://b.example/", Method::POST, vec!["content-type", "event"]),
            (301, "/other", Method::GET, vec!["event", "x-api-key"]),
            (303, "http://b.example/", Method::GET, vec!["event"]),
        ] {
            let Next::Hop(next) = hop.next(StatusCode::from_u16(status).unwrap(), &to(location)) else {
                panic!("{status}")
            };
            let mut names: Vec<&str> = next.headers.keys().map(header::HeaderName::as_str).collect();
            names.sort_unstable();
            assert_eq!(
                (next.method == method, names, next.body.is_empty()),
                (true, kept, method == Method::GET),
                "{status}"
            );
        }
        for (status, headers) in
            [(300, to("/other")), (304, to("/other")), (307, HeaderMap::new()), (200, to("/other"))]
        {
            assert!(matches!(hop.next(StatusCode::from_u16(status).unwrap(), &headers), Next::Here), "{status}");
        }
        assert!(matches!(hop.next(StatusCode::FOUND, &to("http://[")), Next::Lost(_)));
    }

    #[test]
    fn any_json_is_json_and_nothing_is_not() {
        for (body, expected) in
            [("{}", true), ("[1]\n", true), ("null", true), ("\u{feff}1", true), ("", false), ("ok", false)]
        {
            assert_eq!(is_json(body.as_bytes()), expected, "{body}");
        }
    }
}
