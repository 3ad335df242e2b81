//! One attempt: one POST, and why there was no answer when there was none.

use std::{
    error::Error as StdError,
    io::{self, ErrorKind},
    sync::Arc,
    time::Duration,
};

use anyhow::Context;
use bytes::Bytes;
use common::{signature, time::now_ms};
use http::{HeaderValue, header};
use reqwest::{Client, redirect};
use url::Url;

use super::{
    answer::{self, Answer, Meaning},
    guard::{Denied, GuardedDns, Policy},
};
use crate::{
    config::{Settings, words},
    store::queue::Claimed,
};

/// Shorter than receivers keep idle connections (ours does for 30 s): one that is used as it is closed costs an attempt.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// What makes attempts: an HTTP client behind the guard, and the key of the default receiver.
pub struct Sender {
    http: Client,
    policy: Arc<Policy>,
    timeout: Duration,
    receiver: Url,
    secret: Option<Vec<u8>>,
}

impl Sender {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(settings: &Settings, policy: Arc<Policy>) -> anyhow::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(concat!("hookcast/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(connect_timeout(settings.delivery_timeout))
            .timeout(settings.delivery_timeout)
            .pool_max_idle_per_host(settings.endpoint_concurrency)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .dns_resolver(GuardedDns(Arc::clone(&policy)))
            .tls_backend_preconfigured(tls()?)
            .build()
            .context("cannot set up the HTTP client")?;
        let secret =
            settings.webhook_secret.as_deref().filter(|secret| !secret.is_empty()).map(signature::secret_bytes);
        Ok(Self {
            http,
            policy,
            timeout: settings.delivery_timeout,
            receiver: settings.webhook_receiver_url.clone(),
            secret,
        })
    }

    /// Posts the message; every way this can end is an [`Answer`].
    pub async fn post(&self, url: &str, claimed: &Claimed) -> Answer {
        let Ok(url) = Url::parse(url) else { return denied(&Denied::NotHttp) };
        if let Err(why) = self.policy.check(&url) {
            return denied(&why);
        }
        let request = self.request(&url, claimed);
        match request.send().await {
            Ok(response) => answer::read(response).await,
            Err(error) => self.not_answered(&url, &error),
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
            .body(Bytes::copy_from_slice(claimed.body.as_bytes()));
        match &self.secret {
            Some(secret) if *url == self.receiver => {
                let signature = signature::sign(secret, &claimed.message_id, timestamp_s, claimed.body.as_bytes());
                request.header("webhook-signature", signature)
            }
            _ => request,
        }
    }

    fn not_answered(&self, url: &Url, error: &reqwest::Error) -> Answer {
        let place = place(url);
        if let Some(why) = cause::<Denied>(error) {
            return denied(why);
        }
        if let Some(tls) = cause::<rustls::Error>(error) {
            let detail = format!("no secure connection to {place}: {tls}. Check the receiver's certificate");
            return Answer::failed(Meaning::Later, "tls", detail);
        }
        if error.is_timeout() {
            let detail = if error.is_connect() {
                format!(
                    "no connection to {place} within {}. Is the address right?",
                    words(connect_timeout(self.timeout))
                )
            } else {
                format!("no answer within {}. Is the receiver overloaded?", words(self.timeout))
            };
            return Answer::failed(Meaning::Later, "timeout", detail);
        }
        match (cause::<io::Error>(error).map(io::Error::kind), error.is_connect()) {
            (Some(ErrorKind::ConnectionRefused), _) => {
                let detail = format!("nothing listens on {place}. Start the consumer, then Retry");
                Answer::failed(Meaning::Unreachable, "refused", detail)
            }
            (kind, true) => {
                let why = kind.map_or_else(|| "no connection".to_owned(), |kind| kind.to_string());
                Answer::failed(Meaning::Unreachable, "unreachable", format!("{place} cannot be reached: {why}"))
            }
            (_, false) => {
                let detail = format!("{place} ended the connection without an answer. Did the receiver restart?");
                Answer::failed(Meaning::Later, "disconnected", detail)
            }
        }
    }
}

/// A part of the time that an attempt may take.
fn connect_timeout(timeout: Duration) -> Duration {
    timeout.min(Duration::from_secs(5))
}

/// TLS with the machine's own roots and Mozilla's, so that private authorities work and a bare container does too.
fn tls() -> anyhow::Result<rustls::ClientConfig> {
    let mut roots = rustls::RootCertStore { roots: webpki_roots::TLS_SERVER_ROOTS.to_vec() };
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    Ok(builder.with_root_certificates(roots).with_no_client_auth())
}

fn denied(why: &Denied) -> Answer {
    let (meaning, reason) = match why {
        Denied::Blocked { .. } | Denied::NotHttp | Denied::Credentials => (Meaning::Never, "blocked"),
        Denied::NoSuchName { .. } => (Meaning::Unreachable, "dns"),
    };
    Answer::failed(meaning, reason, why.to_string())
}

/// The deepest cause of this type; an `io::Error` hides the error it was made from, so it is looked into.
fn cause<'a, E: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a E> {
    let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let inside = inside.map(|inside| inside as &(dyn StdError + 'static));
    inside.or_else(|| error.source()).and_then(cause).or_else(|| error.downcast_ref())
}

/// `localhost:5001` of `http://localhost:5001/consumetasks`.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
