//! `GET /account/events`: tells an open page that deliveries moved; the page then reads itself again.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{Response, sse::Event},
};
use common::page;
use futures_util::stream;
use tokio::{sync::watch, time::sleep};

use super::session::Session;
use crate::{App, progress::EVERY_ACCOUNT};

/// News are gathered for so long: a page that reads itself again costs more than a line.
const GATHER: Duration = Duration::from_millis(300);
/// Behind every wake-up: another process may deliver.
const SLOW_POLL: Duration = Duration::from_secs(2);

/// Events `ready` at the start, then `moved`; their data says nothing. An administrator hears of every account. It ends with the session.
pub async fn follow(State(app): State<App>, session: Session) -> Response {
    let account = (!session.account.is_admin).then(|| session.account.id.clone());
    let name = account.as_ref().map_or_else(|| EVERY_ACCOUNT.to_owned(), |id| format!("account:{id}"));
    let wake = app.progress.follow(&name);
    let follower = Follower { app, session, account, wake, mark: None };
    page::stream(stream::unfold(follower, Follower::next))
}

struct Follower {
    app: App,
    session: Session,
    /// `None`: all of them.
    account: Option<String>,
    wake: watch::Receiver<()>,
    /// How the newest deliveries were when the page was told last.
    mark: Option<String>,
}

impl Follower {
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            let woken = self.mark.is_some() && self.wait().await;
            if self.app.stop.is_cancelled() {
                return None;
            }
            self.wake.borrow_and_update();
            match self.look().await {
                Ok(None) => return None,
                Ok(Some(mark)) if woken || self.mark.as_ref() != Some(&mark) => {
                    let first = self.mark.replace(mark).is_none();
                    // A browser passes over an event without data.
                    let event = Event::default().event(if first { "ready" } else { "moved" }).data("{}");
                    return Some((Ok(event), self));
                }
                Ok(Some(_)) => {}
                Err(error) => {
                    self.app.store.db.failed(&error, "cannot look whether deliveries moved");
                    self.app.stop.run_until_cancelled(sleep(SLOW_POLL)).await;
                }
            }
        }
    }

    /// How the newest deliveries are; `None`: the session is over.
    async fn look(&self) -> sqlx::Result<Option<String>> {
        if !self.session.goes_on(&self.app).await? {
            return Ok(None);
        }
        self.app.store.mark(self.account.as_deref()).await.map(Some)
    }

    /// Until something moved, or it is time to look; `true`: something did.
    async fn wait(&mut self) -> bool {
        let stop = self.app.stop.clone();
        tokio::select! {
            () = stop.cancelled() => false,
            _ = self.wake.changed() => {
                stop.run_until_cancelled(sleep(GATHER)).await;
                true
            }
            () = sleep(SLOW_POLL) => false,
        }
    }
}
