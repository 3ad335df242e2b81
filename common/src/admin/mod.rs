//! Who may see the pages and call the API: on loopback everybody, on a wider address who has the admin password.

mod login;

use std::{
    net::{IpAddr, SocketAddr},
    num::NonZeroU32,
    sync::Arc,
};

use anyhow::Context;
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{self, Next},
    response::{IntoResponse, Redirect, Response},
    routing::{get, post},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter, clock::Clock};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::{
    config::{CommonArgs, given, is_loopback},
    db::{self, Db},
    edge::wants_page,
    key,
    problem::Problem,
    time::now_ms,
};

const SESSION_S: i64 = 7 * 24 * 3600;
/// Wrong passwords that one address may try at once, and a minute.
const TRIES: NonZeroU32 = NonZeroU32::new(10).unwrap();

/// The door: open, or with a lock.
#[derive(Clone)]
pub struct Gate {
    service: &'static str,
    lock: Option<Arc<Lock>>,
}

struct Lock {
    password_sha256: String,
    session_key: String,
    tries: DefaultKeyedRateLimiter<IpAddr>,
}

/// What the gate says to a request.
enum Verdict {
    Welcome,
    Stranger,
    TooManyTries(std::time::Duration),
}

impl Gate {
    /// Open when `listen` is on loopback. Else the password is `ADMIN_PASSWORD`, or one made at first start, kept hashed, and printed this once.
    ///
    /// # Errors
    /// When the database or the key's file fails.
    pub async fn new(
        service: &'static str,
        listen: SocketAddr,
        settings: &CommonArgs,
        (db, database_url): (&Db, &str),
    ) -> anyhow::Result<Self> {
        if is_loopback(listen) {
            return Ok(Self { service, lock: None });
        }
        let password_sha256 = match given(settings.admin_password.as_ref()) {
            Some(password) => hash(password),
            None => made_password(service, db).await?,
        };
        let secret = match given(settings.secret_key.as_ref()) {
            Some(secret) => secret.to_owned(),
            None => kept_secret(db, database_url).await?,
        };
        let lock = Lock {
            session_key: format!("{secret}:{password_sha256}"),
            password_sha256,
            tries: RateLimiter::keyed(Quota::per_minute(TRIES)),
        };
        Ok(Self { service, lock: Some(Arc::new(lock)) })
    }

    /// A gate that lets everybody in.
    #[must_use]
    pub const fn open(service: &'static str) -> Self {
        Self { service, lock: None }
    }

    /// Whether the request comes with a session or with the password (`Authorization: Basic` with any user name, or `Bearer`).
    #[must_use]
    pub fn allows(&self, headers: &HeaderMap, address: Option<IpAddr>) -> bool {
        matches!(self.verdict(headers, address), Verdict::Welcome)
    }

    fn verdict(&self, headers: &HeaderMap, address: Option<IpAddr>) -> Verdict {
        let Some(lock) = &self.lock else {
            return Verdict::Welcome;
        };
        if session_cookie(headers, self.service).is_some_and(|cookie| lock.session_is_good(cookie)) {
            return Verdict::Welcome;
        }
        offered_password(headers).map_or(Verdict::Stranger, |password| lock.try_password(&password, address))
    }

    /// Puts the gate in front of every route of `router`.
    pub fn guard(&self, router: Router) -> Router {
        router.layer(middleware::from_fn_with_state(self.clone(), pass))
    }

    /// `GET` and `POST /login`, `POST /logout`.
    pub fn routes(&self) -> Router {
        Router::new()
            .route("/login", get(login::show).post(login::enter))
            .route("/logout", post(login::leave))
            .with_state(self.clone())
    }

    fn cookie(&self, value: &str, max_age_s: i64) -> HeaderValue {
        let cookie = format!("hookcast_{}={value}; Path=/; HttpOnly; SameSite=Lax; Max-Age={max_age_s}", self.service);
        HeaderValue::from_str(&cookie).expect("the parts are plain ASCII")
    }
}

impl Lock {
    fn try_password(&self, password: &str, address: Option<IpAddr>) -> Verdict {
        let address = address.unwrap_or(IpAddr::from([0, 0, 0, 0]));
        if key::equal(hash(password).as_bytes(), self.password_sha256.as_bytes()) {
            return Verdict::Welcome;
        }
        self.tries.retain_recent();
        match self.tries.check_key(&address) {
            Ok(()) => Verdict::Stranger,
            Err(until) => Verdict::TooManyTries(until.wait_time_from(self.tries.clock().now())),
        }
    }

    /// `expiry.mac`; the key holds the password's hash, so that a new password ends every session.
    fn new_session(&self) -> String {
        let expires_s = now_ms() / 1000 + SESSION_S;
        format!("{expires_s}.{}", self.mac(expires_s))
    }

    fn session_is_good(&self, cookie: &str) -> bool {
        let Some((expires, mac)) = cookie.split_once('.') else {
            return false;
        };
        let Ok(expires_s) = expires.parse::<i64>() else {
            return false;
        };
        expires_s > now_ms() / 1000 && key::equal(mac.as_bytes(), self.mac(expires_s).as_bytes())
    }

    fn mac(&self, expires_s: i64) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(self.session_key.as_bytes()).expect("HMAC takes a key of any length");
        mac.update(format!("session.{expires_s}").as_bytes());
        key::hex(&mac.finalize().into_bytes())
    }
}

fn hash(password: &str) -> String {
    key::hex(&key::sha256(password.as_bytes()))
}

/// 80 random bits cannot be guessed over the network, so their plain SHA-256 is kept.
async fn made_password(service: &str, db: &Db) -> anyhow::Result<String> {
    let password = key::random_hex(10);
    let ours = hash(&password);
    let kept = db.setting("admin_password_sha256", &ours).await?;
    if kept == ours {
        tracing::warn!("{service} listens on a wide address. Its admin password, shown this once: {password}");
    }
    Ok(kept)
}

/// The random secret kept beside the database: in a file of its own next to SQLite, in the settings on PostgreSQL, where every node sees it.
async fn kept_secret(db: &Db, database_url: &str) -> anyhow::Result<String> {
    let Some(file) = db::sqlite_path(database_url).map(|path| path.with_extension("key")) else {
        return Ok(db.setting("secret_key", &key::random_hex(32)).await?);
    };
    if let Ok(secret) = std::fs::read_to_string(&file) {
        return Ok(secret.trim().to_owned());
    }
    let secret = key::random_hex(32);
    write_private(&file, &secret).with_context(|| format!("cannot write {}", file.display()))?;
    Ok(secret)
}

fn write_private(file: &std::path::Path, text: &str) -> std::io::Result<()> {
    use std::{io::Write, os::unix::fs::OpenOptionsExt};
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(text.as_bytes())
}

fn session_cookie<'a>(headers: &'a HeaderMap, service: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(name, value)| (name.strip_prefix("hookcast_") == Some(service)).then_some(value))
}

fn offered_password(headers: &HeaderMap) -> Option<String> {
    let (scheme, value) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(value.to_owned());
    }
    let decoded = scheme.eq_ignore_ascii_case("basic").then(|| STANDARD.decode(value).ok())??;
    let pair = String::from_utf8(decoded).ok()?;
    pair.split_once(':').map(|(_, password)| password.to_owned())
}

fn address(request: &Request) -> Option<IpAddr> {
    request.extensions().get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip())
}

async fn pass(State(gate): State<Gate>, request: Request, next: Next) -> Response {
    match gate.verdict(request.headers(), address(&request)) {
        Verdict::Welcome => next.run(request).await,
        Verdict::TooManyTries(wait) => too_many_tries(wait),
        Verdict::Stranger if wants_page(request.headers()) => {
            let asked = request.uri().path_and_query().map_or("/", |asked| asked.as_str());
            let next: String = form_urlencoded::byte_serialize(asked.as_bytes()).collect();
            Redirect::to(&format!("/login?next={next}")).into_response()
        }
        Verdict::Stranger => unauthorized(request.headers()),
    }
}

fn too_many_tries(wait: std::time::Duration) -> Response {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many wrong passwords from this address.")
        .retry_after(wait)
        .into_response()
}

fn unauthorized(headers: &HeaderMap) -> Response {
    let problem = Problem::new(
        StatusCode::UNAUTHORIZED,
        "Sign in at /login, or send the admin password as Authorization: Bearer.",
    );
    // A page's own fetch must not open the browser's password box.
    let from_page = headers.contains_key("sec-fetch-mode");
    if from_page {
        problem
    } else {
        problem.header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"hookcast\""))
    }
    .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gate() -> Gate {
        let lock = Lock {
            password_sha256: hash("right"),
            session_key: "k".into(),
            tries: RateLimiter::keyed(Quota::per_minute(TRIES)),
        };
        Gate { service: "consumer", lock: Some(Arc::new(lock)) }
    }

    fn with(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, value.parse().unwrap())])
    }

    #[test]
    fn the_password_a_session_or_nothing() {
        let gate = gate();
        let session = gate.lock.as_ref().unwrap().new_session();
        assert!(gate.allows(&with(header::AUTHORIZATION, "Bearer right"), None));
        assert!(gate.allows(&with(header::AUTHORIZATION, &format!("Basic {}", STANDARD.encode("any:right"))), None));
        assert!(gate.allows(&with(header::COOKIE, &format!("a=b; hookcast_consumer={session}")), None));
        assert!(!gate.allows(&HeaderMap::new(), None));
        assert!(!gate.allows(&with(header::AUTHORIZATION, "Bearer wrong"), None));
        assert!(!gate.allows(&with(header::COOKIE, &format!("hookcast_producer={session}")), None));
        assert!(!gate.allows(&with(header::COOKIE, "hookcast_consumer=99999999999.00"), None));
    }

    #[test]
    fn guessing_is_slowed_down_for_the_address_that_guesses() {
        let gate = gate();
        let (guesser, other) = (Some(IpAddr::from([10, 0, 0, 1])), Some(IpAddr::from([10, 0, 0, 2])));
        let wrong = with(header::AUTHORIZATION, "Bearer wrong");
        for _ in 0..TRIES.get() {
            assert!(matches!(gate.verdict(&wrong, guesser), Verdict::Stranger));
        }
        assert!(matches!(gate.verdict(&wrong, guesser), Verdict::TooManyTries(_)));
        assert!(matches!(gate.verdict(&wrong, other), Verdict::Stranger));
    }
}
