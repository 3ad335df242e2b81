//! The read API's sources: what came from each, how it is guarded, and what was not let in.

use std::collections::BTreeMap;

use axum::{
    Json,
    extract::{Path, Query, State},
};
use common::{problem::Problem, time::rfc3339};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::{IntoParams, ToSchema};

use crate::{
    App,
    store::{
        counts::{self, SourceCounts},
        rejected::{self, Rejected},
    },
};

/// As many as are kept of one source.
const MAX_REJECTED: i64 = 200;
const DEFAULT_REJECTED: i64 = 50;

/// A source that something came from, or that is configured.
#[derive(Debug, Serialize, ToSchema)]
pub struct Source {
    #[serde(rename = "source")]
    name: String,
    total: i64,
    /// RFC 3339, UTC, to the second; null: nothing came yet.
    last_at: Option<String>,
    /// How it is guarded: `open`, `token`, `basic`, `standard_webhooks`, `accounts_api`, `github`, `stripe`, `shopify`, `slack`, `twilio` or `hmac`.
    guard: &'static str,
    /// Where it was made: `page` or `file`; null: it is not configured, and came by itself.
    origin: Option<&'static str>,
    /// Requests that were ever turned away at its door.
    rejected: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Sources {
    sources: Vec<Source>,
    /// Requests for sources that are not configured, where such are refused.
    unknown_rejected: i64,
}

#[utoipa::path(get, path = "/api/sources", tag = "log", responses((status = 200, body = Sources)))]
pub async fn list(State(app): State<App>) -> Result<Json<Sources>, Problem> {
    let (rows, totals) = (counts::all(&app.db).await?, rejected::totals(&app.db).await?);
    let rejected = |name: &str| totals.get(name).map_or(0, |total| total.total);
    let mut found: BTreeMap<String, Option<SourceCounts>> =
        app.registry.list().iter().map(|source| (source.name.to_string(), None)).collect();
    found.extend(rows.into_iter().map(|row| (row.source.clone(), Some(row))));
    let sources = found.into_iter().map(|(name, counts)| {
        let configured = app.registry.get(&name);
        Source {
            total: counts.as_ref().map_or(0, |counts| counts.tally.iter().sum()),
            last_at: counts.map(|counts| rfc3339(counts.last_ms)),
            guard: configured.as_ref().map_or("open", |source| source.guard.kind()),
            origin: configured.map(|source| source.origin.as_str()),
            rejected: rejected(&name),
            name,
        }
    });
    Ok(Json(Sources { sources: sources.collect(), unknown_rejected: rejected("") }))
}

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct RejectedQuery {
    /// 1 to 200; 50 unless told.
    limit: Option<i64>,
}

impl RejectedQuery {
    fn limit(&self) -> Result<i64, Problem> {
        let limit = self.limit.unwrap_or(DEFAULT_REJECTED);
        let wrong = || Problem::bad_request(format!("limit is 1 to {MAX_REJECTED}.")).with("parameter", "limit");
        (1..=MAX_REJECTED).contains(&limit).then_some(limit).ok_or_else(wrong)
    }
}

/// A request that was not let in.
#[derive(Debug, Serialize, ToSchema)]
struct One {
    /// RFC 3339, UTC.
    at: String,
    /// What it was answered with.
    status: i64,
    /// A word for the kind of reason: `missing`, `malformed`, `no_match`, `out_of_time`, `unsigned`, `unknown` or `sealed`.
    kind: String,
    /// What exactly is wrong.
    reason: String,
    /// `method`, `path`, `remote` (address) and `headers` (pairs of name and value), without secrets.
    #[schema(value_type = Object)]
    request: Box<RawValue>,
    /// The first 4 KiB of the body as text.
    body: String,
    /// Bytes of the body.
    size: i64,
    /// How many followed in the same moment and are not kept.
    more: i64,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct List {
    rejected: Vec<One>,
}

impl TryFrom<Vec<Rejected>> for List {
    type Error = Problem;

    fn try_from(rows: Vec<Rejected>) -> Result<Self, Problem> {
        let one = |row: Rejected| {
            let request = RawValue::from_string(row.request).map_err(|error| Problem::internal(&error))?;
            let Rejected { at_ms, status, kind, reason, body, size, more, .. } = row;
            Ok(One { at: rfc3339(at_ms), status, kind, reason, request, body, size, more })
        };
        Ok(Self { rejected: rows.into_iter().map(one).collect::<Result<_, Problem>>()? })
    }
}

#[utoipa::path(get, path = "/api/sources/{name}/rejected", tag = "log", operation_id = "rejected",
    params(("name" = String, Path, description = "A source that is configured"), RejectedQuery),
    responses((status = 200, body = List), (status = 400), (status = 404)))]
pub async fn rejected(
    State(app): State<App>,
    Path(name): Path<String>,
    Query(query): Query<RejectedQuery>,
) -> Result<Json<List>, Problem> {
    let limit = query.limit()?;
    if app.registry.get(&name).is_none() {
        return Err(Problem::not_found(format!("source {name} that is configured")));
    }
    List::try_from(app.registry.rejected(&name, limit).await?).map(Json)
}

#[utoipa::path(get, path = "/api/rejected", tag = "log", operation_id = "unknown_rejected", params(RejectedQuery),
    description = "Requests for sources that are not configured, where UNKNOWN_SOURCES refuses them",
    responses((status = 200, body = List), (status = 400)))]
pub async fn unknown(State(app): State<App>, Query(query): Query<RejectedQuery>) -> Result<Json<List>, Problem> {
    let limit = query.limit()?;
    List::try_from(app.registry.rejected("", limit).await?).map(Json)
}
