//! Who is signed in: a signed cookie, a token that every form of ours carries, and what a page says of itself.

use axum::{
    extract::{FromRequest, FromRequestParts, Request},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use common::{
    admin,
    edge::wants_page,
    fields::Fields,
    key,
    problem::Problem,
    time::{now_ms, rfc3339},
};

use super::{said, words::plain};
use crate::{App, store::accounts::Account};

const COOKIE: &str = "hookcast_account";
const LIFE_S: i64 = 7 * 24 * 3600;

/// An account that is signed in. It ends after a week, and when the account's API key is another; signing out only makes the browser forget it.
pub struct Session {
    pub account: Account,
    /// What the forms of this session carry: a page of another origin cannot know it.
    pub token: String,
    expires_s: i64,
    /// What the page is to confirm.
    said: Option<String>,
}

/// What the frame of every page shows.
pub struct Head {
    pub username: String,
    pub is_admin: bool,
    pub token: String,
    pub said: Option<String>,
    pub served_at: String,
}

impl Session {
    pub fn head(&self, now_ms: i64) -> Head {
        Head {
            username: plain(&self.account.username),
            is_admin: self.account.is_admin,
            token: self.token.clone(),
            said: self.said.clone(),
            served_at: rfc3339(now_ms),
        }
    }

    /// The account, when it is the one that is meant or an administrator's.
    pub fn may_see(&self, account_id: &str) -> bool {
        self.account.is_admin || self.account.id == account_id
    }

    /// Whether it would be opened again now: the account is there with the same key and rights, and the session's time is not over.
    pub async fn goes_on(&self, app: &App) -> sqlx::Result<bool> {
        let account = app.store.account(&self.account.id).await?;
        let is_same = |account: Account| {
            account.api_key_sha256 == self.account.api_key_sha256 && account.is_admin == self.account.is_admin
        };
        Ok(self.expires_s > now_ms() / 1000 && account.is_some_and(is_same))
    }

    async fn read(parts: &Parts, app: &App) -> Result<Option<Self>, Problem> {
        let Some(cookie) = admin::cookie(&parts.headers, COOKIE) else { return Ok(None) };
        let Some((id, expires_s)) = named(cookie) else { return Ok(None) };
        let Some(account) = app.store.account(id).await? else { return Ok(None) };
        let is_good =
            expires_s > now_ms() / 1000 && key::equal(cookie.as_bytes(), value(app, &account, expires_s).as_bytes());
        let token = key::mac(&signing_key(app, &account), &format!("form.{id}.{expires_s}"));
        Ok(is_good.then(|| Self { token, expires_s, said: said::read(&parts.uri), account }))
    }
}

impl FromRequestParts<App> for Session {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        let session = Self::read(parts, app).await.map_err(IntoResponse::into_response)?;
        session.ok_or_else(|| astray(parts))
    }
}

/// Leads a browser to the page that asks who it is, and from there back to what it asked for.
fn astray(parts: &Parts) -> Response {
    if !wants_page(&parts.headers) {
        return Problem::new(StatusCode::UNAUTHORIZED, "Sign in at /account/login.").into_response();
    }
    let asked =
        if parts.method.is_safe() { parts.uri.path_and_query().map_or("/", |asked| asked.as_str()) } else { "" };
    let next: String = url::form_urlencoded::byte_serialize(asked.as_bytes()).collect();
    Redirect::to(&format!("/account/login?next={next}")).into_response()
}

/// A form of ours that a signed-in account sent.
pub struct Posted {
    pub session: Session,
    pub fields: Fields,
}

impl FromRequest<App> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let session = Session::from_request_parts(&mut parts, app).await?;
        let fields =
            Fields::from_request(Request::from_parts(parts, body), app).await.map_err(IntoResponse::into_response)?;
        if !key::equal(fields.get("token").as_bytes(), session.token.as_bytes()) {
            let detail =
                "This form is not of this session: you signed in anew since it was opened. Open its page again.";
            return Err(Problem::new(StatusCode::FORBIDDEN, detail).into_response());
        }
        Ok(Self { session, fields })
    }
}

/// The answer that signs in and leads on.
pub fn enter(app: &App, account: &Account, to: &str) -> Response {
    ([(header::SET_COOKIE, fresh(app, account))], Redirect::to(to)).into_response()
}

/// The cookie of a new session.
pub fn fresh(app: &App, account: &Account) -> HeaderValue {
    set_cookie(&value(app, account, now_ms() / 1000 + LIFE_S), LIFE_S)
}

/// The answer that signs out.
pub fn leave(to: &str) -> Response {
    ([(header::SET_COOKIE, set_cookie("", 0))], Redirect::to(to)).into_response()
}

fn set_cookie(value: &str, max_age_s: i64) -> HeaderValue {
    let cookie = format!("{COOKIE}={value}; Path=/account; HttpOnly; SameSite=Lax; Max-Age={max_age_s}");
    HeaderValue::from_str(&cookie).expect("ids and hex are plain ASCII")
}

/// The account and the end of a session, as its cookie says; nothing is proven by that.
fn named(cookie: &str) -> Option<(&str, i64)> {
    let (named, _) = cookie.rsplit_once('.')?;
    let (id, expires_s) = named.split_once('.')?;
    Some((id, expires_s.parse().ok()?))
}

fn value(app: &App, account: &Account, expires_s: i64) -> String {
    let named = format!("{}.{expires_s}", account.id);
    let mac = key::mac(&signing_key(app, account), &format!("session.{named}"));
    format!("{named}.{mac}")
}

/// With another API key, sessions that the former one opened are none.
fn signing_key(app: &App, account: &Account) -> String {
    format!("{}:{}", app.session_key, account.api_key_sha256)
}

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_cookie_names_an_account_or_nobody(cookie in "[0-9a-f.-]{0,80}|.{0,40}", expires_s in any::<i64>()) {
            let _ = named(&cookie);
            let good = format!("id.{expires_s}.mac");
            prop_assert_eq!(named(&good), Some(("id", expires_s)));
        }
    }
}
