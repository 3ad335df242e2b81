//! The produce page, which is also the page of a batch, and the list of batches.

use std::collections::HashSet;

use askama::Template;
use axum::{
    body::{Body, to_bytes},
    extract::{Request, State},
    http::Method,
    middleware::Next,
    response::{IntoResponse, Response},
};
use common::{
    edge::wants_page,
    page,
    problem::Problem,
    time::{now_ms, rfc3339},
};

use super::{
    batch::{BatchRow, LineRow, Panel},
    form::Form,
};
use crate::{App, extract::Id, progress::Line, store::batches::Batch};

const RECENT: i64 = 8;
const LISTED: i64 = 200;
/// Lines that a page without scripts shows.
const LINES: i64 = 200;
/// Bytes of a form that are read to show it again; the API takes as many.
const FORM_LIMIT: usize = 64 * 1024;

#[derive(Template)]
#[template(path = "producer.html")]
struct ProducePage {
    page_title: String,
    served_at: String,
    consumer_url: String,
    form: Form,
    batch: Panel,
    lines: Vec<LineRow>,
    batches: Vec<BatchRow>,
    limit: i64,
}

#[derive(Template)]
#[template(path = "batches.html")]
struct BatchesPage {
    served_at: String,
    consumer_url: String,
    summary: String,
    batches: Vec<BatchRow>,
    limit: i64,
}

/// `GET /`: the button, and the newest batch.
pub async fn show(State(app): State<App>) -> Result<Response, Problem> {
    let recent = app.store.batches(RECENT).await?;
    let newest = recent.iter().find(|batch| batch.ended_ms.is_none()).or(recent.first()).cloned();
    whole(&app, Form::new(&app.settings), newest, &recent).await
}

/// `GET /batches/{id}`: the same page about one batch.
pub async fn show_batch(State(app): State<App>, Id(id): Id) -> Result<Response, Problem> {
    let batch = app.store.batch(&id).await?.ok_or_else(|| Problem::not_found("such batch"))?;
    let recent = app.store.batches(RECENT).await?;
    whole(&app, Form::new(&app.settings), Some(batch), &recent).await
}

/// Lets the API take a browser's `POST /producetasks`; when it refuses, the form comes back with what is wrong in it.
pub async fn again(State(app): State<App>, request: Request, next: Next) -> Response {
    let is_form = request.method() == Method::POST && request.uri().path() == "/producetasks";
    if !is_form || !wants_page(request.headers()) {
        return next.run(request).await;
    }
    let (parts, body) = request.into_parts();
    let Ok(sent) = to_bytes(body, FORM_LIMIT).await else {
        return Problem::too_large(format!("A form has at most {FORM_LIMIT} bytes.")).into_response();
    };
    let response = next.run(Request::from_parts(parts, Body::from(sent.clone()))).await;
    match response.extensions().get::<Problem>() {
        Some(problem) if problem.status.is_client_error() => refused(&app, &sent, problem).await,
        _ => response,
    }
}

/// The form that was sent, with what is wrong with it; the status is the problem's.
async fn refused(app: &App, sent: &[u8], problem: &Problem) -> Response {
    let form = Form::refused(&app.settings, sent, problem);
    let recent = match app.store.batches(RECENT).await {
        Ok(recent) => recent,
        Err(error) => return Problem::from(error).into_response(),
    };
    match whole(app, form, None, &recent).await {
        Ok(mut page) => {
            *page.status_mut() = problem.status;
            page
        }
        Err(problem) => problem.into_response(),
    }
}

async fn whole(app: &App, form: Form, batch: Option<Batch>, recent: &[Batch]) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let panel = Panel::of(batch.as_ref(), now_ms);
    let lines = match &batch {
        Some(batch) => newest_lines(app, batch).await?,
        None => Vec::new(),
    };
    Ok(page::render(&ProducePage {
        page_title: if batch.is_some() { panel.title() } else { "Produce · Hookcast".into() },
        served_at: rfc3339(now_ms),
        consumer_url: super::consumer_url(app),
        form,
        batch: panel,
        lines,
        batches: recent.iter().map(|batch| BatchRow::of(batch, now_ms)).collect(),
        limit: RECENT,
    }))
}

/// The end of the batch's event log, newest first, each task once.
async fn newest_lines(app: &App, batch: &Batch) -> Result<Vec<LineRow>, Problem> {
    let attempts_max = app.settings.retry_schedule.attempts();
    let entries = app.store.entries(&batch.id, (batch.seq - LINES).max(0), LINES).await?;
    let mut seen = HashSet::new();
    let newest = entries.into_iter().rev().filter(|entry| seen.insert(entry.position));
    Ok(newest.map(|entry| LineRow::of(&Line::of(entry, batch.total, attempts_max))).collect())
}

/// `GET /batches`.
pub async fn list(State(app): State<App>) -> Result<Response, Problem> {
    let now_ms = now_ms();
    let stored = app.store.batches(LISTED).await?;
    let most = usize::try_from(LISTED).unwrap_or(usize::MAX);
    Ok(page::render(&BatchesPage {
        served_at: rfc3339(now_ms),
        consumer_url: super::consumer_url(&app),
        summary: if stored.len() < most { String::new() } else { format!("the newest {LISTED}") },
        batches: stored.iter().map(|batch| BatchRow::of(batch, now_ms)).collect(),
        limit: LISTED,
    }))
}
