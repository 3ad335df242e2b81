//! What a device says that it shows: the newest of it is stored, of all devices together, once a second.

use std::{
    collections::{BTreeMap, HashSet},
    future, mem,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::json;
use socketioxide::extract::{SocketRef, TryData};
use tokio::time;
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

/// What connections said that is not stored yet, JSON by device and connection.
#[derive(Default)]
pub struct Said(Mutex<Unstored>);

type Unstored = BTreeMap<(String, String), String>;

impl Said {
    fn lock(&self) -> MutexGuard<'_, Unstored> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hears `showing` of the connection for as long as it is there.
pub fn follow(app: &App, socket: &SocketRef, connection: (String, String)) {
    let app = app.clone();
    // Taken in at once, in the order it was said: the futures of a socket's events run in any order.
    socket.on("showing", move |TryData(showing): TryData<Showing>| {
        // What cannot be read says nothing.
        if let Ok(showing) = showing {
            app.fleet.said.lock().insert(connection, printable(&showing));
        }
        future::ready(())
    });
}

/// As it is stored.
fn printable(showing: &Showing) -> String {
    let letters = showing.label.chars().map(|letter| if letter.is_control() { ' ' } else { letter });
    let label: String = letters.take(MAX_LABEL_CHARS).collect();
    json!(Showing { kind: showing.kind, label }).to_string()
}

/// Stores what all devices said within a second in one commit, until `stop`.
pub async fn store(app: App, stop: CancellationToken) {
    while stop.run_until_cancelled(time::sleep(PAUSE)).await.is_some() {
        let some = mem::take(&mut *app.fleet.said.lock());
        if some.is_empty() {
            continue;
        }
        match screens::show(&app.db, &some).await {
            Ok(unknown) => keep(&app, unknown),
            Err(error) => {
                app.db.failed(&error, "what devices show is not stored");
                keep(&app, some.into_iter().collect());
            }
        }
        app.fleet.moved();
    }
}

/// What is said by a connection that is here is to be stored later, unless it said something else meanwhile.
fn keep(app: &App, unstored: Vec<((String, String), String)>) {
    let here: HashSet<(String, String)> = app.fleet.connections().into_iter().collect();
    let mut said = app.fleet.said.lock();
    for (connection, showing) in unstored.into_iter().filter(|(connection, _)| here.contains(connection)) {
        said.entry(connection).or_insert(showing);
    }
}
