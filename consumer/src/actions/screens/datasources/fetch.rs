//! One fetch: a GET that follows a few redirects, each checked, and reads no more than it has to.

use std::{sync::Arc, time::Duration};

use anyhow::Context;
use axum::http::{StatusCode, header};
use common::{
    guard::{Denied, GuardedDns, Policy, cause},
    tls,
};
use reqwest::{Client, Response, redirect};
use serde_json::value::RawValue;
use tokio::time::timeout;
use url::Url;

const MAX_BYTES: usize = 256 * 1024;
const MAX_REDIRECTS: usize = 3;
const USER_AGENT: &str = concat!("hookcast/", env!("CARGO_PKG_VERSION"));

/// An HTTP client behind the guard.
pub struct Fetcher {
    http: Client,
    policy: Arc<Policy>,
    patience: Duration,
}

impl Fetcher {
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(policy: Arc<Policy>, patience: Duration) -> anyhow::Result<Self> {
        let http = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .referer(false)
            .user_agent(USER_AGENT)
            .connect_timeout(patience.min(Duration::from_secs(5)))
            .dns_resolver(GuardedDns::new(Arc::clone(&policy)))
            .tls_backend_preconfigured(tls::verifying()?)
            .build()
            .context("cannot set up the HTTP client of datasources")?;
        Ok(Self { http, policy, patience })
    }

    /// The JSON that is answered.
    ///
    /// # Errors
    /// Says why there is none, and what to change.
    pub async fn json(&self, url: &str) -> Result<Arc<RawValue>, String> {
        let url: Url = url.parse().map_err(|error| format!("{url:?} is no address: {error}"))?;
        let fetched = timeout(self.patience, async { whole(self.follow(url).await?).await });
        let body = fetched.await.map_err(|_| format!("no whole answer within {:?}", self.patience))??;
        let text = String::from_utf8(body).map_err(|_| "the answer is not JSON: it is not UTF-8".to_owned())?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
        let value: Box<RawValue> =
            serde_json::from_str(text).map_err(|error| format!("the answer is not JSON: {error}"))?;
        Ok(value.into())
    }

    /// The answer at the end of the redirects, when it is a success.
    async fn follow(&self, mut url: Url) -> Result<Response, String> {
        for _ in 0..=MAX_REDIRECTS {
            self.policy.check(&url).map_err(|why| denied(&why))?;
            let request = self.http.get(url.clone()).header(header::ACCEPT, "application/json");
            let response = request.send().await.map_err(|error| explain(&error))?;
            match next(&url, &response)? {
                Some(elsewhere) => url = elsewhere,
                None => return Ok(response),
            }
        }
        Err(format!("more than {MAX_REDIRECTS} redirects: name the last address itself"))
    }
}

/// Where the answer sends us; `None`: it is the one that is wanted.
fn next(url: &Url, response: &Response) -> Result<Option<Url>, String> {
    let status = response.status();
    if status.is_success() {
        return Ok(None);
    }
    let leads_on = matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308);
    let location = response.headers().get(header::LOCATION).filter(|_| leads_on);
    let Some(location) = location else { return Err(refused(status)) };
    let location = location.to_str().ok().and_then(|location| url.join(location).ok());
    location.map(Some).ok_or_else(|| "it redirects to what is no address".to_owned())
}

fn refused(status: StatusCode) -> String {
    format!("it answers {} {}", status.as_u16(), status.canonical_reason().unwrap_or("(an unknown status)"))
}

async fn whole(mut response: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| explain(&error))? {
        if body.len() + chunk.len() > MAX_BYTES {
            return Err(format!("the answer has more than {} KiB", MAX_BYTES / 1024));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}

fn explain(error: &reqwest::Error) -> String {
    if let Some(why) = cause::<Denied>(error) {
        denied(why)
    } else if let Some(tls) = cause::<rustls::Error>(error) {
        format!("no secure connection: {tls}")
    } else if error.is_connect() {
        "it cannot be reached: nothing answers at the address".into()
    } else {
        "it ended the connection without a whole answer".into()
    }
}

fn denied(why: &Denied) -> String {
    match why {
        Denied::NoSuchName { host } => format!("name not found: {host}. Check the datasource's url"),
        Denied::NotHttp => "its url must begin with http:// or https:// and name a host".into(),
        Denied::Blocked { .. } | Denied::Credentials => why.to_string(),
    }
}
