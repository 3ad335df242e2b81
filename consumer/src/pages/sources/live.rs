//! `GET /sources-moved`: tells the pages of sources when something arrived, was turned away, or was changed.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::{Response, sse::Event},
};
use common::page;
use futures_util::stream;
use tokio::time;

use crate::App;

/// Something may be told this often.
const PAUSE: Duration = Duration::from_secs(1);

const LOOK: Duration = Duration::from_secs(4);

/// `ready` at first, then `moved` whenever there may be something to see, until the service ends.
pub async fn follow(State(app): State<App>) -> Response {
    let (arrived, rejected) = (app.feed.watch(), app.registry.recorder.watch());
    let events = stream::unfold(("ready", arrived, rejected, app), async |(told, mut arrived, mut rejected, app)| {
        if told == "moved" {
            tokio::select! {
                () = app.stop.cancelled() => return None,
                moved = arrived.changed() => moved.ok()?,
                moved = rejected.changed() => moved.ok()?,
                // What other nodes do, and how far old events are read again, is told by nobody.
                () = time::sleep(LOOK) => {}
            }
            time::sleep(PAUSE).await;
            let _ = (arrived.borrow_and_update(), rejected.borrow_and_update());
        }
        let event = Ok::<_, Infallible>(Event::default().event(told).data("{}"));
        Some((event, ("moved", arrived, rejected, app)))
    });
    page::stream(events)
}
