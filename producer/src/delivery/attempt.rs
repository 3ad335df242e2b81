//! One attempt: one POST, and what its answer means.

use std::{
    error::Error as _,
    io::ErrorKind,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Context;
use bytes::Bytes;
use common::{signature, time::now_ms};
use http::{HeaderValue, StatusCode, header};
use reqwest::{Client, redirect};
use url::Url;

use super::{
    guard::{Denied, GuardedDns, Policy},
    retry,
};
use crate::{config::Settings, store::queue::Claimed};

/// How much of an answer is kept.
const KEPT_BYTES: usize = 4096;
/// How much more is read so that the connection can be used again; an answer that is longer costs its connection.
const DRAINED_BYTES: usize = 64 * 1024;

/// What an answer asks us to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Delivered,
    /// Try again on schedule.
    Later,
    /// Try again on schedule, and be gentler with the endpoint.
    Busy,
    /// Try again on schedule; the endpoint could not be reached at all.
    Unreachable,
    /// Never send anything there again.
    Gone,
    /// Do not try again: it would end the same way.
    Never,
}

/// What an attempt came to.
#[derive(Clone, Debug)]
pub struct Answer {
    pub meaning: Meaning,
    pub status: Option<u16>,
    pub reason: Option<&'static str>,
    pub detail: Option<String>,
    pub response: Option<String>,
    pub retry_after: Option<Duration>,
}

impl Answer {
    fn failed(meaning: Meaning, reason: &'static str, detail: impl Into<String>) -> Self {
        Self {
            meaning,
            status: None,
            reason: Some(reason),
            detail: Some(detail.into()),
            response: None,
            retry_after: None,
        }
    }

    /// For what is not sent because its endpoint answered 410 before.
    pub fn stopped() -> Self {
        let detail = "not sent: the receiver answered 410 Gone and wants nothing more. Retry to send to it again";
        Self::failed(Meaning::Never, "stopped", detail)
    }
}

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
            .connect_timeout(settings.delivery_timeout.min(Duration::from_secs(5)))
            .timeout(settings.delivery_timeout)
            .pool_max_idle_per_host(settings.endpoint_concurrency)
            .pool_idle_timeout(Duration::from_secs(30))
            .dns_resolver(GuardedDns(Arc::clone(&policy)))
            .tls_backend_preconfigured(tls()?)
            .build()
            .context("cannot set up the HTTP client")?;
        let secret = settings.webhook_secret.as_deref().map(signature::secret_bytes);
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
            Ok(response) => read(response).await,
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
            let meaning = if error.is_connect() { Meaning::Unreachable } else { Meaning::Later };
            return Answer::failed(
                meaning,
                "timeout",
                format!("no answer within {}. Is the receiver overloaded?", words(self.timeout)),
            );
        }
        match (cause::<std::io::Error>(error).map(std::io::Error::kind), error.is_connect()) {
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
        Denied::Blocked { .. } | Denied::NotHttp => (Meaning::Never, "blocked"),
        Denied::NoSuchName { .. } => (Meaning::Unreachable, "dns"),
    };
    Answer::failed(meaning, reason, why.to_string())
}

/// The first cause of this type; an `io::Error` hides the error it was made from, so it is looked into.
fn cause<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut next = error.source();
    while let Some(source) = next {
        let inner = source.downcast_ref::<std::io::Error>().and_then(|io| io.get_ref());
        if let Some(found) = source.downcast_ref().or_else(|| inner.and_then(|inner| inner.downcast_ref())) {
            return Some(found);
        }
        next = source.source();
    }
    None
}

/// `localhost:5001` of `http://localhost:5001/consumetasks`.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn words(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{} s", time.as_secs()) } else { format!("{} ms", time.as_millis()) }
}

async fn read(mut response: reqwest::Response) -> Answer {
    let status = response.status();
    let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = asked.and_then(|value| retry::retry_after(value, now_ms()));
    let location =
        response.headers().get(header::LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let began = Instant::now();
    let body = beginning(&mut response).await;
    tracing::trace!(status = status.as_u16(), read_ms = began.elapsed().as_millis(), "answered");
    let (meaning, reason, detail) = interpret(status, retry_after, location.as_deref());
    Answer { meaning, status: Some(status.as_u16()), reason, detail, response: text(&body), retry_after }
}

/// Reads the answer's body as far as it is kept or cheaply drained; an error in it changes nothing, the status has been said.
async fn beginning(response: &mut reqwest::Response) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = KEPT_BYTES - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        read += chunk.len();
        if read > KEPT_BYTES + DRAINED_BYTES {
            break;
        }
    }
    kept
}

/// As text, without the NUL that PostgreSQL does not store.
fn text(body: &[u8]) -> Option<String> {
    (!body.is_empty()).then(|| String::from_utf8_lossy(body).replace('\0', "\u{fffd}"))
}

/// What a status means; `None` for success needs no words.
fn interpret(
    status: StatusCode,
    retry_after: Option<Duration>,
    location: Option<&str>,
) -> (Meaning, Option<&'static str>, Option<String>) {
    let code = status.as_u16();
    let name = status.canonical_reason().unwrap_or("an unknown status");
    let later = |meaning, reason, detail| (meaning, Some(reason), Some(detail));
    match code {
        200..=299 => (Meaning::Delivered, None, None),
        300..=399 => {
            let to = location.map_or_else(String::new, |to| format!(" to {}", shortened(to)));
            later(
                Meaning::Later,
                "redirect",
                format!("the receiver redirects{to}. Webhooks do not follow: send to that address instead"),
            )
        }
        410 => later(
            Meaning::Gone,
            "gone",
            "410 Gone: the receiver wants nothing more. Nothing is sent there until you retry".into(),
        ),
        429 | 502 | 504 => {
            later(Meaning::Busy, "busy", format!("{code} {name}: the receiver is busy; it is sent to more slowly"))
        }
        503 if retry_after.is_some() => {
            let seconds = retry_after.unwrap_or_default().as_secs();
            later(Meaning::Busy, "busy", format!("503 {name}: the receiver asked for {seconds} s of patience"))
        }
        500..=599 => later(Meaning::Later, "status", format!("{code} {name}: the receiver failed. Look into its log")),
        401 | 403 => later(
            Meaning::Later,
            "status",
            format!("{code} {name}: the receiver asks for a key. Check WEBHOOK_SECRET and the address"),
        ),
        404 => {
            later(Meaning::Later, "status", format!("{code} {name}: the receiver has no such path. Check the address"))
        }
        _ => later(Meaning::Later, "status", format!("{code} {name}: the receiver did not accept it")),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_mean_what_the_schedule_and_the_pace_need() {
        use Meaning::{Busy, Delivered, Gone, Later};
        let cases = [
            (200, None, Delivered),
            (202, None, Delivered),
            (204, None, Delivered),
            (301, None, Later),
            (400, None, Later),
            (404, None, Later),
            (410, None, Gone),
            (429, None, Busy),
            (500, None, Later),
            (502, None, Busy),
            (503, None, Later),
            (503, Some(3), Busy),
            (504, None, Busy),
        ];
        for (code, retry_after_s, expected) in cases {
            let status = StatusCode::from_u16(code).unwrap();
            let (meaning, reason, detail) =
                interpret(status, retry_after_s.map(Duration::from_secs), Some("https://elsewhere.example/"));
            assert_eq!(meaning, expected, "{code}");
            assert_eq!(meaning == Delivered, reason.is_none() && detail.is_none(), "{code}");
        }
    }

    #[test]
    fn what_is_kept_of_an_answer_can_be_stored() {
        assert_eq!(text(b""), None);
        assert_eq!(text(b"a\0b\xff").as_deref(), Some("a\u{fffd}b\u{fffd}"));
    }
}
