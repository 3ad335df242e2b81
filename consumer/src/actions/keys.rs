//! API keys: what one may be, and what the administrator does with them, by the pages or by the API.

use common::{
    key,
    problem::Problem,
    time::{now_ms, parse_rfc3339},
};
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{
    administrator::{Admin, wrong},
    call::check_event_id,
    doors,
    targets::name_of,
};
use crate::{
    App,
    store::actions::keys::{self, Change, Key},
};

const MAX_KEYS: i64 = 1000;
const MAX_EVENT_IDS: usize = 100;
const DEFAULT_RATE: i64 = 60;
const MAX_RATE: i64 = 6000;
const KEY_BYTES: usize = 24;

/// A key to be made, or what one is changed to.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// Unique.
    pub name: String,
    /// The event ids it may call; none: all.
    pub event_ids: Option<Vec<String>>,
    /// RFC 3339; none: it does not expire.
    pub expires_at: Option<String>,
    /// Calls a minute, 1 to 6000; 60 unless told. Each node counts for itself.
    pub rate_per_minute: Option<i64>,
    /// Calls it is good for, such as 1 for a link that works once; none: any number.
    pub max_uses: Option<i64>,
}

/// Makes a key. Gives what is kept of it, and the key itself.
///
/// # Errors
/// 400 with the `field` that is wrong; 409 when the name is taken or there are as many as may be.
pub async fn create(app: &App, by: &Admin, new: NewKey) -> Result<(Key, String), Problem> {
    let (id, key) = (Uuid::now_v7().to_string(), key::random_hex(KEY_BYTES));
    let Change { name, event_ids, expires_ms, rate_per_minute, max_uses } = checked(new)?;
    let row = Key {
        name,
        key_sha256: doors::hash(&key),
        sealed: app.vault.seal(&key, &context(&id)),
        event_ids,
        expires_ms,
        rate_per_minute,
        max_uses,
        uses: 0,
        last_used_ms: None,
        last_used_from: None,
        created_ms: now_ms(),
        id,
    };
    if !keys::add(&app.db, row.clone(), MAX_KEYS).await? {
        let detail = format!("There is a key of this name, or there are {MAX_KEYS} keys.");
        return Err(Problem::conflict(detail).with("field", "name"));
    }
    by.did(app, "key.create", &row.name, "").await?;
    Ok((row, key))
}

/// Changes what a key is good for; the key itself and its uses stay.
///
/// # Errors
/// 400 with the `field` that is wrong; 404; 409 when the name is taken.
pub async fn change(app: &App, by: &Admin, id: &str, new: NewKey) -> Result<(), Problem> {
    let new = checked(new)?;
    let name = new.name.clone();
    if !keys::change(&app.db, id, new).await? {
        known(app, id).await?;
        return Err(Problem::conflict("There is a key of this name.").with("field", "name"));
    }
    by.did(app, "key.update", &name, "").await
}

/// The key itself, which the audit has that it was shown; `why` says where, if it is not just looked at.
///
/// # Errors
/// 404; 409 when it was sealed with another `SECRET_KEY`.
pub async fn reveal(app: &App, by: &Admin, id: &str, why: &str) -> Result<(Key, String), Problem> {
    let row = known(app, id).await?;
    let opened = app.vault.open(&row.sealed, &context(id));
    let key = opened.ok_or_else(|| {
        Problem::conflict(
            "This key cannot be shown: SECRET_KEY was changed. It still works; set SECRET_KEY back, or make a new key.",
        )
    })?;
    by.did(app, "key.reveal", &row.name, why).await?;
    Ok((row, key))
}

/// # Errors
/// 404 when there is none.
pub async fn delete(app: &App, by: &Admin, id: &str) -> Result<(), Problem> {
    let name = keys::remove(&app.db, id).await?.ok_or_else(missing)?;
    by.did(app, "key.delete", &name, "").await
}

/// What is kept of the key.
///
/// # Errors
/// 404 when there is none.
pub async fn known(app: &App, id: &str) -> Result<Key, Problem> {
    keys::by_id(&app.db, id).await?.ok_or_else(missing)
}

fn missing() -> Problem {
    Problem::not_found("such key (any more)")
}

fn checked(new: NewKey) -> Result<Change, Problem> {
    let name = name_of("name", &new.name).map_err(|error| wrong("name", error))?;
    if let Some(ids) = &new.event_ids {
        if ids.is_empty() || ids.len() > MAX_EVENT_IDS {
            let error = format!("event_ids names 1 to {MAX_EVENT_IDS} event ids; leave it out for all");
            return Err(wrong("event_ids", error));
        }
        ids.iter().try_for_each(|id| check_event_id(id)).map_err(|error| wrong("event_ids", error))?;
    }
    let moment = |at: String| {
        parse_rfc3339(&at).ok_or_else(|| wrong("expires_at", "expires_at is written like 2026-12-31T18:00:00Z"))
    };
    Ok(Change {
        name,
        event_ids: new.event_ids,
        expires_ms: new.expires_at.map(moment).transpose()?,
        rate_per_minute: in_range("rate_per_minute", new.rate_per_minute, MAX_RATE)?.unwrap_or(DEFAULT_RATE),
        max_uses: in_range("max_uses", new.max_uses, i64::from(u32::MAX))?,
    })
}

fn in_range(field: &str, value: Option<i64>, max: i64) -> Result<Option<i64>, Problem> {
    let is_good = value.is_none_or(|value| (1..=max).contains(&value));
    is_good.then_some(value).ok_or_else(|| wrong(field, format!("{field} is 1 to {max}")))
}

/// What a key is sealed for.
fn context(id: &str) -> String {
    format!("api key {id}")
}
