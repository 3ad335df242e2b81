//! Signing in with a name and its API key, signing out, and making an account.

use std::net::SocketAddr;

use askama::Template;
use axum::{
    extract::{ConnectInfo, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use common::{admin::own_path, fields::Fields, key, page, problem::Problem};
use serde::Deserialize;

use super::{
    session::{self, Posted, Session},
    words::wrong,
};
use crate::{
    App,
    accounts::stored_form,
    canonical,
    extract::Params,
    service::{
        LONGEST_ENDPOINT, LONGEST_NAME, Refused,
        accounts::{self as service, Proof},
        canonical as checked,
    },
    store::accounts::Account,
};

const HOME: &str = "/account";

#[derive(Template)]
#[template(path = "account_login.html")]
struct LoginPage {
    error: Option<&'static str>,
    username: String,
    next: String,
}

#[derive(Deserialize)]
pub struct Asked {
    #[serde(default)]
    next: String,
}

/// Where to go from here; this service's own paths only, and home when none is named.
fn onward(next: &str) -> &str {
    match own_path(next) {
        "/" => HOME,
        path => path,
    }
}

/// `GET /account/login`.
pub async fn show(session: Result<Session, Response>, Params(asked): Params<Asked>) -> Response {
    if session.is_ok() {
        return axum::response::Redirect::to(onward(&asked.next)).into_response();
    }
    page::render(&LoginPage { error: None, username: String::new(), next: onward(&asked.next).to_owned() })
}

/// `POST /account/login`.
pub async fn enter(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    fields: Fields,
) -> Result<Response, Problem> {
    let found = named(&app, fields.raw("username")).await?;
    let offered = stored_form(fields.get("api_key"));
    let fits = |account: &Account| key::equal(offered.as_bytes(), account.api_key_sha256.as_bytes());
    if let Some(account) = found.filter(fits) {
        return Ok(session::enter(&app, &account, onward(fields.get("next"))));
    }
    app.guesses.count(peer.ip()).map_err(|wait| {
        let detail = "Too many wrong API keys from this address.";
        Problem::new(StatusCode::TOO_MANY_REQUESTS, detail).retry_after(wait)
    })?;
    let error = Some("This username and this API key do not belong together.");
    let next = onward(fields.get("next")).to_owned();
    let page = page::render(&LoginPage { error, username: fields.owned("username"), next });
    Ok((StatusCode::UNAUTHORIZED, page).into_response())
}

/// The account of a name as it is typed: a text, or JSON, which the API takes for a name, too.
async fn named(app: &App, typed: &str) -> Result<Option<Account>, Problem> {
    if let Some(account) = app.store.account_named(&canonical::quoted(typed)).await? {
        return Ok(Some(account));
    }
    match canonical::dumps(typed) {
        Ok(json) => Ok(app.store.account_named(&json).await?),
        Err(_) => Ok(None),
    }
}

/// `POST /account/logout`.
pub async fn leave(_: Posted) -> Response {
    session::leave("/account/login")
}

#[derive(Default, Template)]
#[template(path = "account_new.html")]
struct NewPage {
    error: Option<String>,
    username: String,
    endpoint: String,
    cloudevents: bool,
}

/// New keys, which this page shows once.
#[derive(Template)]
#[template(path = "account_keys.html")]
pub struct KeysPage {
    pub username: String,
    pub api_key: String,
    /// `None`: it stays.
    pub secret_key: Option<String>,
}

/// `GET /account/new`.
pub async fn new() -> Response {
    page::render(&NewPage::default())
}

/// `POST /account/new`: the keys are in the answer, and nowhere else.
pub async fn create(State(app): State<App>, fields: Fields) -> Result<Response, Problem> {
    let typed = NewPage {
        error: None,
        username: fields.owned("username"),
        endpoint: fields.owned("endpoint"),
        cloudevents: fields.get("proof") == "cloudevents",
    };
    match join(&app, &typed).await {
        Ok(page) => Ok(page),
        Err(refused) => {
            let page = NewPage { error: Some(wrong(refused)?), ..typed };
            Ok((StatusCode::BAD_REQUEST, page::render(&page)).into_response())
        }
    }
}

async fn join(app: &App, typed: &NewPage) -> Result<Response, Refused> {
    if typed.username.is_empty() {
        return Err(Refused::Bad("Username: write a name".into()));
    }
    let endpoint = checked("Endpoint", &canonical::quoted(&typed.endpoint), LONGEST_ENDPOINT)?;
    let username = checked("Username", &canonical::quoted(&typed.username), LONGEST_NAME)?;
    let proof = if typed.cloudevents { Proof::CloudEvents } else { Proof::Echo };
    let rate = service::prove(app, &endpoint, proof).await.map_err(|refused| unproven(refused, proof))?;
    let (account, keys) = service::join(app, (username, endpoint), rate).await?;
    let page = KeysPage { username: typed.username.clone(), api_key: keys.api_key, secret_key: Some(keys.secret_key) };
    Ok(([(header::SET_COOKIE, session::fresh(app, &account))], private(&page)).into_response())
}

/// The contract's words for programs say less than a person needs.
fn unproven(refused: Refused, proof: Proof) -> Refused {
    match refused {
        Refused::Bad(_) if proof == Proof::Echo => Refused::Bad(
            "The endpoint did not prove itself: GET endpoint?echo=WORD has to answer 200 and {\"echo\": \"WORD\"} within 5 seconds".into(),
        ),
        refused => refused,
    }
}

/// A page with a secret on it, which no cache keeps.
pub fn private(page: &impl Template) -> Response {
    let mut response = page::render(page);
    response.headers_mut().insert(header::CACHE_CONTROL, header::HeaderValue::from_static("no-store"));
    response
}
