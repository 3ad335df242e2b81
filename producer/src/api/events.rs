//! `GET /batches/{id}/events`: the batch's event log as server-sent events, from any place in it to its end.

use std::{collections::VecDeque, convert::Infallible, time::Duration};

use axum::{
    extract::State,
    http::HeaderMap,
    response::{Response, sse::Event},
};
use common::{page, problem::Problem, time::now_ms};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokio::{sync::watch, time::sleep};
use utoipa::IntoParams;

use crate::{
    App,
    extract::{Id, Params},
    progress::{Batch, Line},
    store::{self, batches},
};

/// Lines that are read at once.
const CHUNK: i64 = 500;
/// News are gathered for so long, so that a fast batch does not cost a read per commit.
const GATHER: Duration = Duration::from_millis(30);
/// Behind every wake-up: another process may deliver the batch.
const SLOW_POLL: Duration = Duration::from_secs(1);
/// What a browser waits before it connects again.
const RECONNECT: Duration = Duration::from_secs(1);

#[derive(Deserialize, IntoParams)]
pub struct From {
    /// Only what follows this place in the event log; the header `Last-Event-ID` goes before.
    after: Option<i64>,
}

/// Follow a batch as server-sent events.
///
/// `line` (its id is the place in the event log), `progress`, and at the end `end`; then the stream closes. Resumes from `Last-Event-ID`.
#[utoipa::path(get, path = "/batches/{id}/events", tag = "batches",
    params(("id" = String, Path), From, ("Last-Event-ID" = Option<i64>, Header)),
    responses((status = 200, content_type = "text/event-stream", body = Line), (status = 404, description = "No such batch")))]
pub async fn follow(
    State(app): State<App>,
    Id(id): Id,
    Params(from): Params<From>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if app.store.batch(&id).await?.is_none() {
        return Err(Problem::not_found("such batch"));
    }
    let last = headers.get("last-event-id").and_then(|value| value.to_str().ok()).and_then(|value| value.parse().ok());
    let after = last.or(from.after).unwrap_or(0);
    let wake = app.progress.follow(&id);
    let follower = Follower { app, id, after, wake, ready: VecDeque::new(), told: None, ended: false };
    Ok(page::stream(stream::unfold(follower, Follower::next)))
}

/// One open stream: where it is in the log, and what it has read but not sent.
struct Follower {
    app: App,
    id: String,
    after: i64,
    wake: watch::Receiver<()>,
    ready: VecDeque<Event>,
    /// The batch as it was sent last.
    told: Option<batches::Batch>,
    ended: bool,
}

impl Follower {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Some((Ok(event), self));
            }
            if self.ended || self.app.stop.is_cancelled() {
                return None;
            }
            self.wake.borrow_and_update();
            match self.read().await {
                Ok(()) if !self.ready.is_empty() => {}
                Ok(()) => self.wait().await,
                Err(error) => {
                    self.app.store.db.failed(&error, "cannot read the event log of a batch");
                    self.pause(SLOW_POLL).await;
                }
            }
        }
    }

    /// Reads what is new. The lines come first: a batch that has ended by then is shown whole.
    async fn read(&mut self) -> store::Result<()> {
        let entries = self.app.store.entries(&self.id, self.after, CHUNK).await?;
        let Some(stored) = self.app.store.batch(&self.id).await? else {
            self.ended = true;
            return Ok(());
        };
        let attempts_max = self.app.settings.retry_schedule.attempts();
        for entry in entries {
            self.after = entry.seq;
            let line = Line::of(entry, stored.total, attempts_max);
            self.ready.push_back(event("line", &line).id(line.seq.to_string()));
        }
        let batch = Batch::of(&stored, now_ms());
        if batch.ended() && self.after >= batch.seq {
            self.ready.push_back(event("end", &batch));
            self.ended = true;
        } else if self.told.as_ref() != Some(&stored) {
            let progress = event("progress", &batch);
            self.ready.push_back(if self.told.is_some() { progress } else { progress.retry(RECONNECT) });
        }
        self.told = Some(stored);
        Ok(())
    }

    async fn wait(&mut self) {
        let stop = self.app.stop.clone();
        tokio::select! {
            () = stop.cancelled() => {}
            _ = self.wake.changed() => self.pause(GATHER).await,
            () = sleep(SLOW_POLL) => {}
        }
    }

    async fn pause(&self, time: Duration) {
        self.app.stop.run_until_cancelled(sleep(time)).await;
    }
}

fn event(name: &str, data: &impl Serialize) -> Event {
    Event::default().event(name).json_data(data).expect("lines and batches are plain JSON")
}
