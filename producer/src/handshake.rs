//! Requests to an account's endpoint that are no deliveries: is it the account's own, and here is a new key for it.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use common::{guard::Policy, tls::verifying};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use reqwest::{Client, Response};
use serde_json::Value;
use tokio::time::timeout;
use url::Url;

use crate::{
    config::Settings,
    delivery::{
        attempt::guarded,
        follow::{Hop, MOST_HOPS, Next},
        tls::trusting,
    },
};

/// From the first connection to the end of the answer.
const PATIENCE: Duration = Duration::from_secs(5);
const MOST_BYTES: usize = 64 * 1024;
/// Who asks, in the `CloudEvents` handshake; no endpoint can check more than that it is the same one.
const ORIGIN: &str = "hookcast";

/// Asks endpoints, behind the same guard as deliveries.
pub struct Handshake {
    http: Client,
    policy: Arc<Policy>,
}

impl Handshake {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: &Settings, policy: &Arc<Policy>) -> anyhow::Result<Self> {
        let tls = if settings.verify_endpoint_tls { verifying()? } else { trusting()? };
        let http = guarded(settings, policy).timeout(PATIENCE).tls_backend_preconfigured(tls).build();
        Ok(Self { http: http.context("cannot set up the HTTP client")?, policy: Arc::clone(policy) })
    }

    /// Whether the endpoint gives back a random word: `GET endpoint?echo=WORD` answers 200 and `{"echo": "WORD"}`, within 5 s.
    pub async fn echoes(&self, endpoint: &str) -> bool {
        let word = common::key::random_hex(20);
        let answer = self.tell(endpoint, "echo", &word).await;
        answer.is_some_and(|answer| answer.get("echo").and_then(Value::as_str) == Some(&word))
    }

    /// `GET endpoint?NAME=VALUE`; the JSON that it answers 200 with, `None` when it does anything else.
    pub async fn tell(&self, endpoint: &str, name: &str, value: &str) -> Option<Value> {
        let mut url = Url::parse(endpoint).ok()?;
        url.set_fragment(None);
        url.query_pairs_mut().append_pair(name, value);
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::ACCEPT, json.clone()), (header::CONTENT_TYPE, json)]);
        let body = timeout(PATIENCE, async {
            let answer = self.follow(Hop { method: Method::GET, url, headers, body: Bytes::new() }).await?;
            if answer.status() == StatusCode::OK { whole(answer).await } else { None }
        });
        serde_json::from_slice(&body.await.ok()??).ok()
    }

    /// Asks by `OPTIONS` whether the endpoint wants to be sent to (`CloudEvents` HTTP 1.1 Web Hooks, section 4); gives the requests a minute
    /// that it allows, 0 when it sets no limit, and `None` when it does not agree.
    pub async fn allowed_rate(&self, endpoint: &str) -> Option<i64> {
        let url = Url::parse(endpoint).ok()?;
        self.policy.check(&url).ok()?;
        let request = self.http.request(Method::OPTIONS, url).header("webhook-request-origin", ORIGIN);
        let answer = timeout(PATIENCE, request.send()).await.ok()?.ok()?;
        let said = |name: &str| answer.headers().get(name)?.to_str().ok().map(str::trim);
        let origin_is_good = said("webhook-allowed-origin").is_some_and(|origin| origin == "*" || origin == ORIGIN);
        let rate = match said("webhook-allowed-rate") {
            None | Some("*") => 0,
            Some(rate) => rate.parse().ok().filter(|rate| *rate > 0)?,
        };
        (answer.status().is_success() && origin_is_good).then_some(rate)
    }

    /// Sends, and follows redirects as deliveries do, each hop behind the guard.
    async fn follow(&self, mut hop: Hop) -> Option<Response> {
        for _ in 0..=MOST_HOPS {
            self.policy.check(&hop.url).ok()?;
            let request = self.http.request(hop.method.clone(), hop.url.clone()).headers(hop.headers.clone());
            let answer = request.send().await.ok()?;
            match hop.next(answer.status(), answer.headers()) {
                Next::Here => return Some(answer),
                Next::Hop(next) => hop = *next,
                Next::Lost(_) => return None,
            }
        }
        None
    }
}

/// The body, when it is not too long.
async fn whole(mut answer: Response) -> Option<Vec<u8>> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.ok()? {
        body.extend_from_slice(&chunk);
        if body.len() > MOST_BYTES {
            return None;
        }
    }
    Some(body)
}
