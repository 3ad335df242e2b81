//! Whether the settings of a guard can be, and what to change when not.

use http::HeaderName;

use super::{Guard, Hmac, Place, Secrets, Token};

/// The longest time a signature may be good for.
const LONGEST_TOLERANCE_S: i64 = 24 * 3600;
const MAX_CHARS: usize = 256;
const MAX_SECRET_CHARS: usize = 1024;
/// A token or a key that is shorter can be guessed.
const MIN_SECRET_CHARS: usize = 8;

/// What is wrong with a field, and the field's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    pub field: &'static str,
    pub problem: String,
}

impl FieldError {
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

impl Guard {
    /// Everything that is wrong with its settings.
    #[must_use]
    pub fn check(&self) -> Vec<FieldError> {
        match self {
            Self::Open {} | Self::AccountsApi {} | Self::Github {} | Self::Shopify {} => Vec::new(),
            Self::Token(token) => check_token(token),
            Self::Basic { user } => check_user(user),
            Self::StandardWebhooks(timed) | Self::Stripe(timed) | Self::Slack(timed) => tolerance(timed.tolerance_s),
            Self::Twilio { url } => check_url(url),
            Self::Hmac(hmac) => check_hmac(hmac),
        }
    }

    /// What is wrong with the secrets for this guard.
    #[must_use]
    pub fn check_secrets(&self, secrets: &Secrets) -> Vec<FieldError> {
        let one = |problem: String| vec![FieldError::new("secret", problem)];
        if self.is_open() {
            return if secrets.is_empty() { Vec::new() } else { one("an open source has no secret".into()) };
        }
        let all: Vec<&str> = secrets.first().into_iter().chain(secrets.second()).collect();
        if all.is_empty() {
            return one("is needed: a guard without a secret lets nobody in".into());
        }
        let whole = |secret: &&str| (MIN_SECRET_CHARS..=MAX_SECRET_CHARS).contains(&secret.len());
        if !all.iter().all(whole) && !self.takes_any_length() {
            return one(format!("has {MIN_SECRET_CHARS} to {MAX_SECRET_CHARS} bytes"));
        }
        if all.iter().any(|secret| secret.is_empty() || secret.contains(char::is_control)) {
            return one("is not empty and has no line break".into());
        }
        let in_header = matches!(self, Self::Token(_));
        if in_header && !all.iter().all(|secret| secret.bytes().all(|byte| byte.is_ascii_graphic())) {
            return one("a token has visible ASCII letters only".into());
        }
        Vec::new()
    }

    /// Devices have passwords that people gave them.
    const fn takes_any_length(&self) -> bool {
        matches!(self, Self::Basic { .. } | Self::Twilio { .. })
    }
}

fn check_token(token: &Token) -> Vec<FieldError> {
    let name = token.name.as_deref().unwrap_or_default();
    let prefix_is_good =
        token.prefix.len() <= MAX_CHARS && token.prefix.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    match token.place {
        Place::Path if token.name.is_some() => vec![FieldError::new("name", "a token in the path has no name")],
        Place::Query if name.is_empty() || name.len() > MAX_CHARS => {
            vec![FieldError::new("name", "write the parameter that has the token, such as token")]
        }
        Place::Header if !is_header(name) => {
            vec![FieldError::new("name", "write the header that has the token, such as Authorization")]
        }
        Place::Header if !prefix_is_good => vec![FieldError::new("prefix", "has visible ASCII letters and blanks")],
        Place::Path | Place::Query if !token.prefix.is_empty() => {
            vec![FieldError::new("prefix", "only a token in a header has one")]
        }
        _ => Vec::new(),
    }
}

fn check_user(user: &str) -> Vec<FieldError> {
    let good = !user.is_empty()
        && user.len() <= MAX_CHARS
        && !user.contains(|letter: char| letter == ':' || letter.is_control());
    if good { Vec::new() } else { vec![FieldError::new("user", "write the user's name; it has no colon")] }
}

fn tolerance(seconds: i64) -> Vec<FieldError> {
    if (1..=LONGEST_TOLERANCE_S).contains(&seconds) {
        return Vec::new();
    }
    vec![FieldError::new("tolerance_s", format!("is 1 to {LONGEST_TOLERANCE_S} seconds"))]
}

fn check_url(url: &str) -> Vec<FieldError> {
    let parsed = url.parse::<http::Uri>().ok();
    let good = parsed.is_some_and(|uri| matches!(uri.scheme_str(), Some("http" | "https")) && uri.host().is_some());
    if good && !url.contains('#') {
        return Vec::new();
    }
    vec![FieldError::new(
        "url",
        "write the address that Twilio was told, such as https://hooks.example.com/consumetasks/twilio",
    )]
}

fn check_hmac(hmac: &Hmac) -> Vec<FieldError> {
    let mut errors = tolerance(hmac.tolerance_s);
    if !is_header(&hmac.header) {
        errors.push(FieldError::new("header", "write the header that has the signature, such as X-Signature"));
    }
    if hmac.timestamp_header.as_deref().is_some_and(|name| !is_header(name)) {
        errors.push(FieldError::new("timestamp_header", "write the header that has the time, or leave it out"));
    }
    let signed = hmac.signed.as_deref().unwrap_or("{body}");
    if !signed.contains("{body}") || signed.len() > MAX_CHARS {
        errors.push(FieldError::new("signed", "has {body} in it: what is not signed can be changed"));
    }
    if signed.contains("{timestamp}") != hmac.timestamp_header.is_some() {
        errors.push(FieldError::new(
            "signed",
            "has {timestamp} in it exactly when there is a timestamp_header: a time that is not signed can be changed",
        ));
    }
    errors
}

fn is_header(name: &str) -> bool {
    name.len() <= MAX_CHARS && HeaderName::from_bytes(name.as_bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errors(json: &str) -> Vec<&'static str> {
        let guard: Guard = serde_json::from_str(json).unwrap();
        guard.check().into_iter().map(|error| error.field).collect()
    }

    #[test]
    fn what_cannot_be_is_named_by_its_field() {
        let cases: [(&str, &[&str]); 13] = [
            (r#"{"kind":"open"}"#, &[]),
            (r#"{"kind":"token","in":"path"}"#, &[]),
            (r#"{"kind":"token","in":"path","name":"x"}"#, &["name"]),
            (r#"{"kind":"token","in":"query"}"#, &["name"]),
            (r#"{"kind":"token","in":"query","name":"k","prefix":"x"}"#, &["prefix"]),
            (r#"{"kind":"token","in":"header","name":"a b"}"#, &["name"]),
            (r#"{"kind":"token","in":"header","name":"Authorization","prefix":"Bearer "}"#, &[]),
            (r#"{"kind":"basic","user":"a:b"}"#, &["user"]),
            (r#"{"kind":"stripe","tolerance_s":0}"#, &["tolerance_s"]),
            (r#"{"kind":"twilio","url":"/consumetasks"}"#, &["url"]),
            (r#"{"kind":"hmac","header":"X-Sig"}"#, &[]),
            (r#"{"kind":"hmac","header":"","signed":"{timestamp}"}"#, &["header", "signed", "signed"]),
            (r#"{"kind":"hmac","header":"X-Sig","timestamp_header":"X-Time"}"#, &["signed"]),
        ];
        for (json, expected) in cases {
            assert_eq!(errors(json), expected, "{json}");
        }
        for json in
            [r#"{"kind":"open","x":1}"#, r#"{"kind":"github","x":1}"#, r#"{"kind":"slack","x":1}"#, r#"{"kind":"x"}"#]
        {
            assert!(serde_json::from_str::<Guard>(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_guard_wants_a_secret_that_cannot_be_guessed() {
        let secrets = |secret: &str| Secrets::new(Some(secret.into()), None);
        let github = Guard::Github {};
        assert!(github.check_secrets(&secrets("long enough")).is_empty());
        assert_eq!(github.check_secrets(&secrets("short")).len(), 1);
        assert_eq!(github.check_secrets(&Secrets::default()).len(), 1);
        assert!(Guard::Basic { user: "evok".into() }.check_secrets(&secrets("pw")).is_empty());
        assert_eq!(Guard::Open {}.check_secrets(&secrets("long enough")).len(), 1);
        assert_eq!(Guard::Open {}.check_secrets(&Secrets::default()).len(), 0);
    }
}
