//! One attempt: one POST.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use common::{
    guard::{Denied, GuardedDns, Policy},
    seal::Vault,
    signature,
    time::now_ms,
    tls,
};
use http::{HeaderValue, header};
use reqwest::{Client, ClientBuilder, redirect};
use url::Url;

use super::{
    answer::{self, Answer},
    unanswered::{connect_timeout, denied, explain},
    webhook::Webhooks,
};
use crate::{
    config::Settings,
    receiver,
    store::{endpoints::Waiting, queue::Claimed},
};

/// Shorter than receivers keep idle connections (ours does for 30 s): one that is used as it is closed costs an attempt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);
pub const USER_AGENT: &str = concat!("hookcast/", env!("CARGO_PKG_VERSION"));

/// What makes attempts: an HTTP client behind the guard and the key of the default receiver, and what posts to accounts.
pub struct Sender {
    http: Client,
    webhooks: Webhooks,
    policy: Arc<Policy>,
    timeout: Duration,
    /// Where tasks and readings go by themselves: what is sent there is signed.
    receivers: [Url; 2],
    secret: Option<Vec<u8>>,
}

impl Sender {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: &Settings, policy: Arc<Policy>, vault: Arc<Vault>) -> anyhow::Result<Self> {
        let http = guarded(settings, &policy)
            .no_gzip()
            .no_deflate()
            .timeout(settings.delivery_timeout)
            .tls_backend_preconfigured(tls::verifying()?)
            .build()
            .context("cannot set up the HTTP client")?;
        let secret =
            settings.webhook_secret.as_deref().filter(|secret| !secret.is_empty()).map(signature::secret_bytes);
        Ok(Self {
            http,
            webhooks: Webhooks::new(settings, Arc::clone(&policy), vault)?,
            policy,
            timeout: settings.delivery_timeout,
            receivers: [
                settings.webhook_receiver_url.clone(),
                receiver::below(&settings.webhook_receiver_url, receiver::HARDWARE),
            ],
            secret,
        })
    }

    /// Posts the message; every way this can end is an [`Answer`].
    pub async fn post(&self, endpoint: &Waiting, claimed: &Claimed) -> Answer {
        if let Some(account) = &claimed.account_id {
            return self.webhooks.post(endpoint, (claimed, account)).await;
        }
        let Ok(url) = Url::parse(&endpoint.url) else { return denied(&Denied::NotHttp) };
        if let Err(why) = self.policy.check(&url) {
            return denied(&why);
        }
        let request = self.request(&url, claimed);
        match request.send().await {
            Ok(response) => answer::read(response).await,
            Err(error) => explain(&url, &error, (self.timeout, "Start the consumer, then Retry")),
        }
    }

    /// Whether something takes connections there.
    pub async fn listens(&self, url: &str) -> bool {
        let Some(url) = Url::parse(url).ok().filter(|url| self.policy.check(url).is_ok()) else { return false };
        let (Some(host), Some(port)) = (url.host_str(), url.port_or_known_default()) else { return false };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let Ok(addresses) = self.policy.resolve(host, port).await else { return false };
        let connecting = tokio::net::TcpStream::connect(&addresses[..]);
        matches!(tokio::time::timeout(Duration::from_secs(2), connecting).await, Ok(Ok(_)))
    }

    fn request(&self, url: &Url, claimed: &Claimed) -> reqwest::RequestBuilder {
        let timestamp_s = now_ms() / 1000;
        let request = self
            .http
            .post(url.clone())
            .header(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))
            .header("webhook-id", &claimed.message_id)
            .header("webhook-timestamp", timestamp_s)
            .body(claimed.body.clone());
        match &self.secret {
            Some(secret) if self.receivers.contains(url) => {
                let signature = signature::sign(secret, &claimed.message_id, timestamp_s, &claimed.body);
                request.header("webhook-signature", signature)
            }
            _ => request,
        }
    }
}

/// A client that connects only where the policy lets it, and follows nothing by itself.
pub fn guarded(settings: &Settings, policy: &Arc<Policy>) -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .referer(false)
        .user_agent(USER_AGENT)
        .connect_timeout(connect_timeout(settings.delivery_timeout))
        .pool_max_idle_per_host(settings.delivery_concurrency)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .dns_resolver(GuardedDns::new(Arc::clone(policy)))
}
