//! `GET /screens-moved`: tells the pages of devices when something of them may have moved.

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
const PAUSE: Duration = Duration::from_millis(500);
/// What happens at other nodes, and that somebody stopped asking, is told by nobody.
const LOOK: Duration = Duration::from_secs(4);

/// `ready` at first, then `moved` whenever there may be something to see, until the service ends.
pub async fn follow(State(app): State<App>) -> Response {
    let moved = app.fleet.watch();
    let events = stream::unfold(("ready", moved, app), async |(told, mut moved, app)| {
        if told == "moved" {
            tokio::select! {
                () = app.stop.cancelled() => return None,
                news = moved.changed() => news.ok()?,
                () = time::sleep(LOOK) => {}
            }
            time::sleep(PAUSE).await;
            moved.mark_unchanged();
        }
        let event = Ok::<_, Infallible>(Event::default().event(told).data("{}"));
        Some((event, ("moved", moved, app)))
    });
    page::stream(events)
}
