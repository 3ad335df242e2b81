//! What posts to accounts' endpoints: each by its profile, with both signatures, over a client that takes the certificates they have.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use bytes::Bytes;
use common::{
    guard::{Denied, Policy},
    seal::Vault,
    time::now_ms,
    tls::verifying,
};
use http::{HeaderValue, Method, header};
use reqwest::{Client, Response};
use url::Url;

use super::{
    answer::{self, Answer, Meaning},
    attempt::{USER_AGENT, guarded},
    follow::{self, Hop, Next},
    sign,
    tls::trusting,
    unanswered::{denied, explain, too_late},
};
use crate::{
    config::Settings,
    store::{
        endpoints::Waiting,
        queue::{Claimed, Profile},
    },
};

/// How long an attempt of the old profile may take, redirects and all.
pub const PYWEBHOOKS_TIMEOUT: Duration = Duration::from_secs(5);

/// Posts to accounts' endpoints.
pub struct Webhooks {
    http: Client,
    policy: Arc<Policy>,
    vault: Arc<Vault>,
    timeout: Duration,
}

impl Webhooks {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: &Settings, policy: Arc<Policy>, vault: Arc<Vault>) -> anyhow::Result<Self> {
        let tls = if settings.verify_endpoint_tls { verifying()? } else { trusting()? };
        let http = guarded(settings, &policy)
            .http1_only()
            .tls_backend_preconfigured(tls)
            .build()
            .context("cannot set up the HTTP client of the accounts")?;
        Ok(Self { http, policy, vault, timeout: settings.delivery_timeout })
    }

    /// Posts the webhook; every way this can end is an [`Answer`].
    pub async fn post(&self, endpoint: &Waiting, (claimed, account): (&Claimed, &str)) -> Answer {
        let bare = (claimed.profile == Profile::Bare).then(|| Claimed { body: Bytes::new(), ..claimed.clone() });
        let claimed = bare.as_ref().unwrap_or(claimed);
        let method = if bare.is_some() { Method::GET } else { Method::POST };
        let answer = match sign::headers(&self.vault, (claimed, account), endpoint.headers.as_deref(), now_ms() / 1000)
        {
            Ok(mut headers) => {
                headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
                let kept = sign::kept(&headers);
                let body = claimed.body.clone();
                let answer = match Url::parse(&endpoint.url) {
                    Ok(url) => self.in_time(claimed.profile, Hop { method, url, headers, body }).await,
                    Err(_) => denied(&Denied::NotHttp),
                };
                Answer { request_headers: Some(kept), ..answer }
            }
            Err(answer) => *answer,
        };
        if claimed.profile == Profile::PyWebhooks { plain(answer) } else { answer }
    }

    async fn in_time(&self, profile: Profile, hop: Hop) -> Answer {
        let timeout = if profile == Profile::PyWebhooks { PYWEBHOOKS_TIMEOUT } else { self.timeout };
        let posting = async {
            match profile {
                Profile::PyWebhooks => self.follow(hop).await,
                Profile::Tasks | Profile::Standard | Profile::Bare => match self.send(&hop).await {
                    Ok(response) => answer::read(response).await,
                    Err(answer) => *answer,
                },
            }
        };
        let answered = tokio::time::timeout(timeout, posting).await;
        answered.unwrap_or_else(|_| Answer::failed(Meaning::Later, "timeout", too_late(timeout)))
    }

    async fn follow(&self, mut hop: Hop) -> Answer {
        for _ in 0..=follow::MOST_HOPS {
            let response = match self.send(&hop).await {
                Ok(response) => response,
                Err(answer) => return *answer,
            };
            match hop.next(response.status(), response.headers()) {
                Next::Hop(next) => hop = *next,
                Next::Lost(place) => {
                    let detail = format!("the receiver redirects to {place}, which is no address");
                    return Answer::failed(Meaning::Later, "redirect", detail);
                }
                Next::Here => return follow::judge(response).await,
            }
        }
        let detail = format!("the receiver redirects more than {} times", follow::MOST_HOPS);
        Answer::failed(Meaning::Later, "redirect", detail)
    }

    async fn send(&self, hop: &Hop) -> Result<Response, Box<Answer>> {
        self.policy.check(&hop.url).map_err(|why| denied(&why))?;
        let request = self.http.request(hop.method.clone(), hop.url.clone()).headers(hop.headers.clone());
        let request = if hop.method == Method::POST { request.body(hop.body.clone()) } else { request };
        let words = (self.timeout, "Start the receiver, or correct the account's endpoint");
        Ok(request.send().await.map_err(|error| explain(&hop.url, &error, words))?)
    }
}

/// The old profile knows success and failure, and nothing that would change its four attempts.
fn plain(answer: Answer) -> Answer {
    let meaning = if answer.meaning == Meaning::Delivered { Meaning::Delivered } else { Meaning::Later };
    Answer { meaning, retry_after: None, ..answer }
}
