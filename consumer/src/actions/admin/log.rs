//! The audit: who did what, from where, and how it went; as JSON and as CSV.

use axum::{
    Json,
    extract::{Query, State},
    response::Response,
};
use common::{problem::Problem, time::rfc3339};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::limit;
use crate::{
    App,
    actions::trail,
    store::actions::audit::{self, Entry, Search},
};

const LIMITS: (i64, i64) = (200, trail::MOST);

#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(default)]
#[into_params(parameter_in = Query)]
pub struct AuditQuery {
    /// Only lines with this text.
    q: String,
    /// 1 to 10000; 200 unless told, and of a CSV all.
    limit: Option<i64>,
}

impl AuditQuery {
    fn search(self, limits: (i64, i64)) -> Result<Search, Problem> {
        Ok(Search { limit: limit(self.limit, limits)?, text: self.q, ..Search::default() })
    }
}

#[derive(Serialize, ToSchema)]
pub struct Line {
    /// RFC 3339, UTC.
    at: String,
    /// The name of a key, `admin`, or empty: nobody we know.
    who: String,
    from: String,
    /// `call`, `key.create`, `action.update` and so on.
    what: String,
    /// An event id, or the name of what was changed.
    subject: String,
    status: i64,
    detail: String,
    /// Where its outcome on each device is; empty: nothing was executed.
    execution: String,
}

#[derive(Serialize, ToSchema)]
pub struct List {
    audit: Vec<Line>,
}

impl From<Entry> for Line {
    fn from(entry: Entry) -> Self {
        let Entry { at_ms, who, from, what, subject, status, detail, execution } = entry;
        Self { at: rfc3339(at_ms), who, from, what, subject, status, detail, execution }
    }
}

#[utoipa::path(get, path = "/api/audit", tag = "actions", operation_id = "audit", params(AuditQuery),
    responses((status = 200, body = inline(List)), (status = 400)))]
pub async fn list(State(app): State<App>, Query(query): Query<AuditQuery>) -> Result<Json<List>, Problem> {
    let found = audit::find(&app.db, &query.search(LIMITS)?).await?;
    Ok(Json(List { audit: found.into_iter().map(|line| Line::from(line.entry)).collect() }))
}

/// The newest lines as a table; where there are more than its limit, a last line says so, and how to get them.
#[utoipa::path(get, path = "/api/audit.csv", tag = "actions", operation_id = "audit_csv", params(AuditQuery),
    responses((status = 200, content_type = "text/csv", body = String), (status = 400)))]
pub async fn csv(State(app): State<App>, Query(query): Query<AuditQuery>) -> Result<Response, Problem> {
    trail::download(&app, query.search((trail::MOST, trail::MOST))?).await
}
