//! Who may see the pages and call the API: on loopback everybody, on a wider address who has the admin password.

mod lock;
mod login;

use std::{
    net::{IpAddr, SocketAddr},
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

use crate::{
    config::{CommonArgs, given, is_loopback},
    db::{self, Db},
    edge::wants_page,
    key,
    problem::Problem,
};
use lock::{Lock, Verdict, hash};
pub use login::own_path;

/// The door: open, or with a lock.
#[derive(Clone)]
pub struct Gate {
    service: &'static str,
    lock: Option<Arc<Lock>>,
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
        let secret = secret_key(settings, db, database_url).await?;
        Ok(Self { service, lock: Some(Arc::new(Lock::new(password_sha256, &secret))) })
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
        if cookie(headers, &format!("hookcast_{}", self.service)).is_some_and(|cookie| lock.session_is_good(cookie)) {
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

async fn made_password(service: &str, db: &Db) -> anyhow::Result<String> {
    let password = key::random_hex(10);
    let ours = hash(&password);
    let kept = db.setting("admin_password_sha256", &ours).await?;
    if kept == ours {
        // Not by the log: it may be set to tell less, and is kept where no password belongs.
        eprintln!("The {service} listens on a wide address. Its admin password, shown this once: {password}");
    }
    Ok(kept)
}

/// `SECRET_KEY`, or the random one that was made at first start.
///
/// # Errors
/// When the database or the key's file fails.
pub async fn secret_key(settings: &CommonArgs, db: &Db, database_url: &str) -> anyhow::Result<String> {
    match given(settings.secret_key.as_ref()) {
        Some(secret) => Ok(secret.to_owned()),
        None => kept_secret(db, database_url).await,
    }
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

/// The value of the cookie of this name that the browser sent.
#[must_use]
pub fn cookie<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find_map(|(sent, value)| (sent == name).then_some(value))
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
        Gate { service: "consumer", lock: Some(Arc::new(Lock::new(hash("right"), "k"))) }
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
}
