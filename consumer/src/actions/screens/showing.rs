//! What a device says that it shows: the newest of it is stored, at most once a second.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use socketioxide::extract::{SocketRef, TryData};
use tokio::{sync::watch, time};
use tokio_util::sync::CancellationToken;

use crate::{App, store::actions::screens};

const PAUSE: Duration = Duration::from_secs(1);
const MAX_LABEL_CHARS: usize = 200;

/// What is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Web,
    Image,
    Dashboard,
    Card,
    Emergency,
    Url,
    Rule,
    Snoozed,
    Paused,
}

/// What a device says that it shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Showing {
    pub kind: Kind,
    /// At most 200 characters.
    #[serde(default)]
    pub label: String,
}

impl Showing {
    /// What is stored; `None`: nothing was said.
    #[must_use]
    pub fn stored(json: &str) -> Option<Self> {
        serde_json::from_str(json).ok()
    }
}

/// Hears `showing` of the connection for as long as it is there.
pub fn follow(app: &App, socket: &SocketRef, (device, session): (String, String), gone: CancellationToken) {
    let (said, heard) = watch::channel(None);
    socket.on("showing", async move |TryData(showing): TryData<Showing>| {
        // What cannot be read says nothing.
        if let Ok(showing) = showing {
            said.send_replace(Some(printable(&showing)));
        }
    });
    let app = app.clone();
    app.tasks.clone().spawn(async move {
        gone.run_until_cancelled(store(&app, heard, (&device, &session))).await;
    });
}

fn printable(showing: &Showing) -> Showing {
    let letters = showing.label.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    Showing { kind: showing.kind, label: letters.take(MAX_LABEL_CHARS).collect() }
}

async fn store(app: &App, mut heard: watch::Receiver<Option<Showing>>, (device, session): (&str, &str)) {
    while heard.changed().await.is_ok() {
        let Some(json) = heard.borrow_and_update().as_ref().and_then(|it| serde_json::to_string(it).ok()) else {
            continue;
        };
        match screens::shows(&app.db, device, session, json).await {
            Ok(true) => app.fleet.moved(),
            // The connection is not the newest one yet, or not any more.
            Ok(false) => heard.mark_changed(),
            Err(error) => {
                tracing::warn!(%error, "what a device shows is not stored; trying again");
                heard.mark_changed();
            }
        }
        time::sleep(PAUSE).await;
    }
}
