//! API keys: the list of them, one of them, its secret, and its end.

use askama::Template;
use axum::{
    Json,
    extract::{Path, Query, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use common::{
    fields::Fields,
    page::{self, Stamp, duration, grouped, plural},
    problem::Problem,
    time::now_ms,
};
use serde_json::json;

use super::{
    head::{Head, Said, after},
    kept_by_nobody,
    key::{self, KeyForm},
};
use crate::{
    App,
    actions::{administrator::Admin, keys},
    store::actions::keys::{self as store, Key},
};

#[derive(Template)]
#[template(path = "action_keys.html")]
struct KeysPage {
    head: Head,
    summary: String,
    rows: Vec<Row>,
}

/// A key, in words.
pub struct Row {
    pub id: String,
    pub name: String,
    pub scope: String,
    pub expires: String,
    pub rate: String,
    pub uses: String,
    /// It is over: expired, or used up.
    pub is_over: bool,
    pub last: Option<Stamp>,
    pub from: String,
}

impl Row {
    pub fn of(key: &Key, now_ms: i64) -> Self {
        let is_expired = key.expires_ms.is_some_and(|expires_ms| expires_ms <= now_ms);
        let is_used_up = key.max_uses.is_some_and(|max| key.uses >= max);
        let expires = match key.expires_ms {
            None if is_used_up => "used up".into(),
            None => "does not expire".into(),
            Some(_) if is_expired => "expired".into(),
            Some(_) if is_used_up => "used up".into(),
            Some(expires_ms) => format!("expires in {}", duration((expires_ms - now_ms) / 1000)),
        };
        let uses = match key.max_uses {
            None => plural(key.uses, "use"),
            Some(max) => format!("{} of {} uses", grouped(key.uses), grouped(max)),
        };
        Self {
            id: key.id.clone(),
            name: key.name.clone(),
            scope: key.event_ids.as_ref().map_or_else(|| "all event ids".into(), |ids| ids.join(", ")),
            expires,
            rate: format!("{} / min", grouped(key.rate_per_minute)),
            uses,
            is_over: is_expired || is_used_up,
            last: key.last_used_ms.map(|at_ms| Stamp::of(at_ms, now_ms)),
            from: key.last_used_from.clone().unwrap_or_default(),
        }
    }
}

/// `GET /actions/keys`.
pub async fn list(State(app): State<App>, Query(said): Query<Said>) -> Result<Response, Problem> {
    let (keys, now_ms) = (store::all(&app.db).await?, now_ms());
    Ok(page::render(&KeysPage {
        head: Head::new(&app, "/actions/keys").saying(&said),
        summary: if keys.is_empty() { String::new() } else { plural(i64::try_from(keys.len()).unwrap_or(0), "key") },
        rows: keys.iter().map(|key| Row::of(key, now_ms)).collect(),
    }))
}

#[derive(Template)]
#[template(path = "action_key.html")]
struct KeyPage {
    head: Head,
    row: Row,
    made: Stamp,
    /// Empty: it is not shown.
    secret: String,
    is_new: bool,
    form: KeyForm,
}

/// `GET /actions/keys/{id}`.
pub async fn show(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(said): Query<Said>,
) -> Result<Response, Problem> {
    let key = keys::known(&app, &id).await?;
    let form = key::form_of(&app, &key).await?;
    Ok(whole(&app, &key, ("", false), form, &said))
}

/// The page of a key; `secret` is the key itself where it is shown, and whether it was made in this moment.
pub fn whole(app: &App, key: &Key, (secret, is_new): (&str, bool), form: KeyForm, said: &Said) -> Response {
    let now_ms = now_ms();
    page::render(&KeyPage {
        head: Head::new(app, format!("/actions/keys/{}", key.id)).saying(said),
        row: Row::of(key, now_ms),
        made: Stamp::of(key.created_ms, now_ms),
        secret: secret.to_owned(),
        is_new,
        form,
    })
}

/// `POST /actions/keys/{id}/reveal`: the page with the key in it, or the key alone for a script of the page.
pub async fn reveal(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (key, secret) = keys::reveal(&app, &admin, &id, "").await?;
    let wants_json =
        headers.get(header::ACCEPT).is_some_and(|accept| accept.as_bytes().starts_with(b"application/json"));
    if wants_json {
        return Ok(kept_by_nobody(Json(json!({"key": secret})).into_response()));
    }
    let form = key::form_of(&app, &key).await?;
    Ok(kept_by_nobody(whole(&app, &key, (&secret, false), form, &Said::default())))
}

/// `POST /actions/keys/{id}/delete`: its name has to be typed.
pub async fn delete(
    State(app): State<App>,
    admin: Admin,
    Path(id): Path<String>,
    fields: Fields,
) -> Result<Response, Problem> {
    let key = keys::known(&app, &id).await?;
    if !fields.confirms(&key.name, &id) {
        return Err(Problem::bad_request("Type the name of the key to delete it."));
    }
    keys::delete(&app, &admin, &id).await?;
    Ok(after("/actions/keys", &[], "key-deleted"))
}
