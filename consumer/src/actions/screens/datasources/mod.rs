//! The JSON that cards are filled from: fetched by the server, behind the guard of addresses, and kept for as long as a screen lets it.

mod fetch;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Json,
    extract::{Path, Query, State},
    http::StatusCode,
    response::Response,
};
use common::{
    guard::Policy,
    problem::Problem,
    time::{now_ms, rfc3339},
};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{Screen, content::Content, fresh};
use crate::{App, store::actions::screens};
use fetch::Fetcher;

/// Addresses that are remembered; the one that was asked for longest ago is forgotten first.
const MAX_URLS: usize = 250;
/// What went wrong is believed no longer than this.
const FAILURE_KEPT: Duration = Duration::from_secs(5);

/// How patient it is.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For one fetch, redirects and all.
    pub fetch: Duration,
    /// Between two fetches from one address, however fresh the answer is wanted.
    pub fresh: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { fetch: Duration::from_secs(10), fresh: Duration::from_secs(1) }
    }
}

/// What was fetched, and when.
#[derive(Clone, Debug)]
pub struct Fetched {
    pub at_ms: i64,
    /// JSON; else why there is none.
    pub value: Result<Arc<RawValue>, String>,
}

/// The datasources of one node.
pub struct Datasources {
    fetcher: Fetcher,
    fresh: Duration,
    slots: Mutex<HashMap<String, Slot>>,
}

/// One address. Its lock is held while it is fetched: who comes meanwhile gets the same answer.
struct Slot {
    asked: Instant,
    last: Arc<tokio::sync::Mutex<Option<(Instant, Fetched)>>>,
}

impl Datasources {
    /// Connects only where the policy lets it.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(policy: Arc<Policy>, patience: Patience) -> anyhow::Result<Self> {
        let fetcher = Fetcher::new(policy, patience.fetch)?;
        Ok(Self { fetcher, fresh: patience.fresh, slots: Mutex::default() })
    }

    /// The JSON at the address, not older than `every`; with `fresh` as new as may be.
    pub async fn fetch(&self, url: &str, (every, fresh): (Duration, bool)) -> Fetched {
        let slot = self.slot(url);
        let mut last = slot.lock().await;
        let longest = if fresh { self.fresh } else { every };
        if let Some((at, fetched)) = &*last {
            let longest = if fetched.value.is_ok() { longest } else { longest.min(FAILURE_KEPT) };
            if at.elapsed() < longest {
                return fetched.clone();
            }
        }
        let value = self.fetcher.json(url).await;
        let fetched = Fetched { at_ms: now_ms(), value };
        *last = Some((Instant::now(), fetched.clone()));
        fetched
    }

    fn slot(&self, url: &str) -> Arc<tokio::sync::Mutex<Option<(Instant, Fetched)>>> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if slots.len() >= MAX_URLS && !slots.contains_key(url) {
            let oldest = slots.iter().min_by_key(|(_, slot)| slot.asked).map(|(url, _)| url.clone());
            oldest.and_then(|oldest| slots.remove(&oldest));
        }
        let new = || Slot { asked: Instant::now(), last: Arc::default() };
        let slot = slots.entry(url.to_owned()).or_insert_with(new);
        slot.asked = Instant::now();
        Arc::clone(&slot.last)
    }
}

/// How it is asked for.
#[derive(Deserialize)]
pub struct Asked {
    /// `1`: as new as may be.
    fresh: Option<String>,
}

#[derive(Serialize)]
struct Told<'a> {
    /// RFC 3339, UTC.
    fetched_at: String,
    value: &'a RawValue,
}

/// `GET /screen-api/datasources/{name}`: the JSON of a datasource of the screen's content.
///
/// # Errors
/// 404 when the content has none of this name, 502 when it cannot be had, and says why.
pub async fn show(
    State(app): State<App>,
    Screen(device): Screen,
    Path(name): Path<String>,
    Query(asked): Query<Asked>,
) -> Result<Response, Problem> {
    let stored = screens::content(&app.db, &device.id).await?.flatten();
    let content = Content::stored(stored.as_deref());
    let found = content.datasources.into_iter().find(|datasource| datasource.name == name);
    let found = found.ok_or_else(|| Problem::not_found("such datasource in the content of this screen"))?;
    let every = Duration::from_secs(found.every_seconds.into());
    let fetched = app.datasources.fetch(&found.url, (every, asked.fresh.as_deref() == Some("1"))).await;
    let value = fetched.value.map_err(|why| {
        Problem::new(StatusCode::BAD_GATEWAY, format!("The datasource {name} cannot be fetched: {why}."))
    })?;
    Ok(fresh(Json(Told { fetched_at: rfc3339(fetched.at_ms), value: &value })))
}
