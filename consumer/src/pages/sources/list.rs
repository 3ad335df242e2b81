//! The list of sources: those that are set up, and those that only sent something.

use std::collections::BTreeMap;

use askama::Template;
use axum::{
    extract::{Query, State},
    http::HeaderMap,
    response::Response,
};
use common::{
    page::{self, Stamp, grouped, plural},
    problem::Problem,
    time::{now_ms, rfc3339},
};

use super::{super::curl, kinds::kind, refused::RejectedRow, said::Said};
use crate::{
    App,
    store::{counts, rejected},
};

/// Anybody who may post may name a source.
const SHOWN: usize = 500;
const REJECTED: i64 = 20;

#[derive(Template)]
#[template(path = "sources.html")]
struct SourcesPage {
    served_at: String,
    producer_url: String,
    said: Option<&'static str>,
    summary: String,
    curl: String,
    rows: Vec<SourceRow>,
    /// Of names that are not set up, where those are refused.
    rejected: Vec<RejectedRow>,
}

#[derive(Default)]
struct SourceRow {
    name: String,
    guard: &'static str,
    is_open: bool,
    events: String,
    rejected: String,
    has_rejected: bool,
    last: Option<Stamp>,
}

/// `GET /sources`.
pub async fn show(State(app): State<App>, Query(said): Query<Said>, headers: HeaderMap) -> Result<Response, Problem> {
    app.registry.read_if_changed().await?;
    let rows = rows(&app).await?;
    let (rejected, now) = (app.registry.rejected("", REJECTED).await?, now_ms());
    Ok(page::render(&SourcesPage {
        served_at: rfc3339(now),
        rejected: rejected.into_iter().map(|one| RejectedRow::of(one, now)).collect(),
        producer_url: app.config.producer_url.clone(),
        said: said.words(),
        summary: if rows.is_empty() { String::new() } else { plural(i64::try_from(rows.len()).unwrap_or(0), "source") },
        curl: curl(&headers),
        rows,
    }))
}

async fn rows(app: &App) -> Result<Vec<SourceRow>, Problem> {
    let now_ms = now_ms();
    let mut rows = BTreeMap::<String, SourceRow>::new();
    for source in app.registry.list() {
        let kind = kind(source.guard.kind());
        let row = SourceRow { guard: kind.label, is_open: source.guard.is_open(), ..SourceRow::default() };
        rows.insert(source.name.to_string(), row);
    }
    for count in counts::all(&app.db).await?.into_iter().take(SHOWN) {
        let row = rows.entry(count.source).or_insert_with(unconfigured);
        row.events = plural(count.tally.iter().sum(), "event");
        row.last = (count.last_ms > 0).then(|| Stamp::of(count.last_ms, now_ms));
    }
    for (source, total) in rejected::totals(&app.db).await? {
        // Those of names that are not set up are counted together, under no name.
        let Some(row) = rows.get_mut(&source) else { continue };
        row.rejected = format!("{} rejected", grouped(total.total));
        row.has_rejected = true;
    }
    Ok(rows.into_iter().map(|(name, row)| SourceRow { name, ..row }).collect())
}

fn unconfigured() -> SourceRow {
    SourceRow { guard: "Not set up", is_open: true, ..SourceRow::default() }
}
