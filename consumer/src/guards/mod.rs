//! Who may send to a source: the ways in which a request shows that it comes from somebody who has the source's secret.
//!
//! All of it is pure: the settings of a guard, one or two secrets, a request and the time go in, and a verdict comes out.

mod check;
mod credentials;
mod rejection;
mod secrets;
mod signed;
mod timed;
mod twilio;

use common::signature::Algorithm;
use http::{HeaderMap, HeaderName, Method, header};
use serde::{Deserialize, Serialize};

pub use check::FieldError;
pub use rejection::{Kind, Rejection};
pub use secrets::Secrets;

/// How far a time stamp may lie from our clock unless the guard says otherwise, in seconds.
pub const TOLERANCE_S: i64 = common::signature::TOLERANCE_S;

/// How a source is guarded; the secrets are kept apart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Guard {
    /// Anybody may send.
    Open {},
    /// The secret itself, somewhere in the request.
    Token(Token),
    /// HTTP Basic; the secret is the password.
    Basic { user: String },
    /// `webhook-id`, `webhook-timestamp`, `webhook-signature`: <https://www.standardwebhooks.com>.
    StandardWebhooks(Timed),
    /// `pywebhooks-signature`: HMAC-SHA1 of the body in hex, with the account's secret key.
    AccountsApi {},
    /// `X-Hub-Signature-256`.
    Github {},
    /// `Stripe-Signature`.
    Stripe(Timed),
    /// `X-Shopify-Hmac-SHA256`.
    Shopify {},
    /// `X-Slack-Signature` and `X-Slack-Request-Timestamp`.
    Slack(Timed),
    /// `X-Twilio-Signature`; the secret is the account's auth token.
    Twilio {
        /// The address that Twilio was told to call, as it was told it: it is a part of what is signed, and a proxy hides it from us.
        url: String,
    },
    /// Any other HMAC of the body in a header.
    Hmac(Hmac),
}

/// A guard whose signature has a time in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timed {
    #[serde(default = "tolerance_s")]
    pub tolerance_s: i64,
}

impl Default for Timed {
    fn default() -> Self {
        Self { tolerance_s: TOLERANCE_S }
    }
}

/// Where a token stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    #[serde(rename = "in")]
    pub place: Place,
    /// Of the parameter or the header; a token in the path has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What stands before the token in a header, such as `Bearer ` with its blank.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// `/consumetasks/SOURCE/TOKEN`.
    Path,
    /// `/consumetasks/SOURCE?NAME=TOKEN`.
    Query,
    Header,
}

/// An HMAC of a scheme that has no name here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hmac {
    /// Where the signature stands.
    pub header: String,
    #[serde(default = "sha256")]
    pub algorithm: Algorithm,
    #[serde(default)]
    pub encoding: Encoding,
    /// What stands before the signature, such as `sha256=`.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub prefix: String,
    /// The header with the time in seconds since 1970; it has to be a part of what is signed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp_header: Option<String>,
    /// What is signed: a text in which `{body}` and `{timestamp}` stand for the two; unset: the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<String>,
    #[serde(default = "tolerance_s")]
    pub tolerance_s: i64,
}

/// How a signature's bytes are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    #[default]
    Hex,
    Base64,
}

const fn tolerance_s() -> i64 {
    TOLERANCE_S
}

const fn sha256() -> Algorithm {
    Algorithm::Sha256
}

/// What a guard looks at.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub method: &'a Method,
    /// What follows the name of the source in the path, percent signs read.
    pub path_token: Option<&'a str>,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    /// As it came.
    pub body: &'a [u8],
}

impl Guard {
    /// The word for it in files, in the API and in the metrics.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Open {} => "open",
            Self::Token(_) => "token",
            Self::Basic { .. } => "basic",
            Self::StandardWebhooks(_) => "standard_webhooks",
            Self::AccountsApi {} => "accounts_api",
            Self::Github {} => "github",
            Self::Stripe(_) => "stripe",
            Self::Shopify {} => "shopify",
            Self::Slack(_) => "slack",
            Self::Twilio { .. } => "twilio",
            Self::Hmac(_) => "hmac",
        }
    }

    /// Whether it can do without a secret.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        matches!(self, Self::Open {})
    }

    /// Whether the request may come in: one of the secrets is in it, or signed it. `now_s` is our clock's time.
    ///
    /// # Errors
    /// Says why not, to the operator and to the sender.
    pub fn verify(&self, secrets: &Secrets, request: &Request<'_>, now_s: i64) -> Result<(), Rejection> {
        match self {
            Self::Open {} => return Ok(()),
            Self::Token(token) => return credentials::token(token, secrets, request),
            Self::Basic { user } => return credentials::basic(user, secrets, request),
            _ => {}
        }
        if request.method != Method::POST {
            return Err(Rejection::not_signed(request.method));
        }
        match self {
            Self::StandardWebhooks(timed) => timed::standard_webhooks(timed, secrets, request, now_s),
            Self::Stripe(timed) => timed::stripe(timed, secrets, request, now_s),
            Self::Slack(timed) => timed::slack(timed, secrets, request, now_s),
            Self::Twilio { url } => twilio::verify(url, secrets, request),
            Self::Hmac(hmac) => signed::any(hmac, secrets, request, now_s),
            Self::AccountsApi {} => signed::body(&signed::ACCOUNTS_API, secrets, request),
            Self::Github {} => signed::body(&signed::GITHUB, secrets, request),
            Self::Shopify {} => signed::body(&signed::SHOPIFY, secrets, request),
            Self::Open {} | Self::Token(_) | Self::Basic { .. } => Ok(()),
        }
    }

    /// Whether the token is the part of the path that follows the source's name.
    #[must_use]
    pub fn is_in_path(&self) -> bool {
        matches!(self, Self::Token(token) if token.place == Place::Path)
    }

    /// Whether the address carries the secret.
    #[must_use]
    pub fn is_in_address(&self) -> bool {
        matches!(self, Self::Token(token) if token.place != Place::Header)
    }

    /// Whether a header of this name carries the secret itself.
    #[must_use]
    pub fn hides_header(&self, name: &HeaderName) -> bool {
        match self {
            Self::Token(Token { place: Place::Header, name: Some(hidden), .. }) => {
                name.as_str().eq_ignore_ascii_case(hidden)
            }
            Self::Basic { .. } => name == header::AUTHORIZATION,
            _ => false,
        }
    }

    /// Whether a parameter of this name carries the secret itself.
    #[must_use]
    pub fn hides_parameter(&self, name: &str) -> bool {
        matches!(self, Self::Token(Token { place: Place::Query, name: Some(hidden), .. }) if hidden == name)
    }
}

impl Request<'_> {
    /// The text of a header that has to be there.
    fn text(&self, name: &str) -> Result<&str, Rejection> {
        let value = self.headers.get(name).ok_or_else(|| Rejection::missing_header(name))?;
        value.to_str().map_err(|_| Rejection::malformed(format!("the header {name} is not plain text")))
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod samples;
