//! `GET /actions/moved`: tells the pages of actions when something moved, on whichever node.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{Query, State},
    response::{Response, sse::Event},
};
use common::{page, time::now_ms};
use futures_util::stream;
use serde::Deserialize;
use tokio::time::sleep;

use crate::{App, store::actions::news};

/// Between two looks.
const LOOK: Duration = Duration::from_secs(2);
/// Who follows one execution looks closely.
const CLOSE_LOOK: Duration = Duration::from_millis(200);

#[derive(Default, Deserialize)]
pub struct Asked {
    /// Only what becomes of this one.
    execution: Option<String>,
}

type Told = (App, Option<String>, Option<String>);

/// `ready` at the start, then `moved` when something did, until the service ends. Their data says nothing.
pub async fn follow(State(app): State<App>, Query(asked): Query<Asked>) -> Response {
    page::stream(stream::unfold((app, asked.execution, None), next))
}

async fn next((app, execution, told): Told) -> Option<(Result<Event, Infallible>, Told)> {
    let pause = if execution.is_some() { CLOSE_LOOK } else { LOOK };
    loop {
        if told.is_some() {
            app.stop.run_until_cancelled(sleep(pause)).await?;
        }
        let mark = match &execution {
            Some(id) => news::of_execution(&app.db, id).await,
            None => news::of_all(&app.db, now_ms()).await,
        };
        match mark {
            Ok(now) if told.as_ref() != Some(&now) => {
                // A browser passes over an event without data.
                let event = Event::default().event(if told.is_some() { "moved" } else { "ready" }).data("{}");
                return Some((Ok(event), (app, execution, Some(now))));
            }
            Ok(_) => {}
            Err(error) => {
                app.db.failed(&error, "cannot see whether an action moved");
                app.stop.run_until_cancelled(sleep(LOOK)).await?;
            }
        }
    }
}
