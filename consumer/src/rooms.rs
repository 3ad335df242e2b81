//! socket.io: who is in which room, and what each is sent.
//!
//! `/collectHooks` is the tutorial's: after `join_room` a client gets one `msg` an event. Each socket has a cursor of its own in the log,
//! so a slow one is never skipped: it gets what it missed from the feed's memory, or from the log itself.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{extract::ConnectInfo, http::HeaderMap};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use socketioxide::{
    SendError, SocketError, SocketIo,
    extract::{AckSender, Extension, SocketRef, TryData},
    handler::ConnectHandler,
    layer::SocketIoLayer,
};
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::{App, event::Event, feed::Next, live, metrics::NamespaceLabel, store::events};

/// The tutorial's namespace.
const COLLECT: &str = "/collectHooks";
/// Packets that may wait for one socket; the library's 128 drops most of a burst.
const SOCKET_BUFFER: usize = 4096;
/// Events sent without a pause in between, which the socket writes together.
const CHUNK: u16 = 512;
/// How long to leave a socket alone whose buffer is full.
const FULL_PAUSE: Duration = Duration::from_millis(100);
const MAX_SOURCES: usize = 32;

/// The socket.io server, without its namespaces.
#[must_use]
pub fn layer() -> (SocketIoLayer, SocketIo) {
    SocketIo::builder()
        .max_buffer_size(SOCKET_BUFFER)
        .max_payload(64 * 1024)
        .ws_max_message_size(64 * 1024)
        .ws_max_frame_size(64 * 1024)
        .build_layer()
}

/// Opens the namespaces.
pub fn open(io: &SocketIo, app: &App) {
    let (collecting, admitting) = (app.clone(), app.clone());
    let connected = async move |socket: SocketRef| welcome(&collecting, &socket);
    io.ns(COLLECT, connected.with(async move |socket: SocketRef| admit(&admitting, &socket)));
    live::open(io, app);
}

/// Why a socket may not come in.
#[derive(Debug)]
pub struct NotAdmitted(&'static str);

impl std::fmt::Display for NotAdmitted {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(self.0)
    }
}

/// CORS does not hold for a WebSocket, so the Origin is looked at here; and the gate too.
///
/// # Errors
/// Says what to change.
pub fn admit(app: &App, socket: &SocketRef) -> Result<(), NotAdmitted> {
    let parts = socket.req_parts();
    if !app.edge.origin_is_good(&parts.headers) {
        return Err(NotAdmitted(
            "A page of another origin may not connect here. Name its origin in ALLOWED_ORIGINS if it should.",
        ));
    }
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    if !app.gate.allows(&parts.headers as &HeaderMap, address) {
        return Err(NotAdmitted("Send the admin password as the header Authorization: Bearer."));
    }
    Ok(())
}

/// Counts the socket for as long as it is connected; then `leave` is called and the token ends.
pub fn count(
    app: &App,
    socket: &SocketRef,
    namespace: &'static str,
    leave: impl FnOnce(&SocketRef) + Clone + Send + Sync + 'static,
) -> CancellationToken {
    let gauge = app.metrics.sockets.get_or_create(&NamespaceLabel { namespace }).clone();
    gauge.inc();
    let gone = app.stop.child_token();
    let told = gone.clone();
    socket.on_disconnect(move |socket: SocketRef| async move {
        gauge.dec();
        leave(&socket);
        told.cancel();
    });
    gone
}

fn welcome(app: &App, socket: &SocketRef) {
    let gone = count(app, socket, COLLECT, |_| {});
    socket.extensions.insert(Listener { room: Arc::default(), gone });
    let app = app.clone();
    socket.on(
        "join_room",
        async move |socket: SocketRef,
                    TryData(asked): TryData<Value>,
                    Extension(listener): Extension<Listener>,
                    ack: AckSender| {
            let joined = listener.join(&app, &socket, Asked::read(asked.unwrap_or_default()));
            if let Err(error) = ack.send(&joined) {
                tracing::debug!(%error, "join_room not acknowledged");
            }
        },
    );
}

/// What a client asks of `join_room`: nothing, the name of a source, or `{"since": OFFSET, "source": NAME}`.
#[derive(Debug, Default, Deserialize)]
struct Asked {
    since: Option<i64>,
    source: Option<String>,
}

impl Asked {
    fn read(argument: Value) -> Self {
        match argument {
            Value::String(source) => Self { since: None, source: Some(source) },
            argument => serde_json::from_value(argument).unwrap_or_default(),
        }
    }
}

/// The answer to `join_room`, for clients that ask for one.
#[derive(Debug, Serialize)]
struct Joined {
    head: i64,
    /// False when the log no longer reaches back to `since`.
    recovered: bool,
}

/// A socket that may have joined.
#[derive(Clone, Debug)]
struct Listener {
    room: Arc<Mutex<Option<Room>>>,
    gone: CancellationToken,
}

/// What a socket wants to hear.
#[derive(Clone, Debug)]
enum Room {
    All,
    Sources(HashSet<String>),
}

impl Room {
    fn widen(&mut self, source: Option<String>) {
        match (self, source) {
            (Self::Sources(sources), Some(source)) if sources.len() < MAX_SOURCES => drop(sources.insert(source)),
            (Self::Sources(_), Some(_)) | (Self::All, _) => {}
            (room, None) => *room = Self::All,
        }
    }

    fn has(&self, source: &str) -> bool {
        match self {
            Self::All => true,
            Self::Sources(sources) => sources.contains(source),
        }
    }
}

impl Listener {
    /// The first join begins the flow; a further one only widens the room.
    fn join(&self, app: &App, socket: &SocketRef, asked: Asked) -> Joined {
        let head = app.feed.head();
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = room.as_mut() {
            room.widen(asked.source);
            return Joined { head, recovered: true };
        }
        *room = Some(asked.source.map_or(Room::All, |source| Room::Sources(HashSet::from([source]))));
        drop(room);
        let tail = app.feed.snapshot(None, head, 0).tail;
        let since = asked.since.map(|since| since.clamp(0, head));
        let flow = Flow {
            socket: socket.clone(),
            room: self.room.clone(),
            cursor: since.unwrap_or(head),
            with_offset: since.is_some(),
        };
        app.tasks.spawn(flow.run(app.clone(), self.gone.clone()));
        Joined { head, recovered: asked.since.is_none_or(|since| since + 1 >= tail && since <= head) }
    }
}

/// The way of the log's events into one socket.
struct Flow {
    socket: SocketRef,
    room: Arc<Mutex<Option<Room>>>,
    /// The last offset that was sent or passed over.
    cursor: i64,
    with_offset: bool,
}

impl Flow {
    async fn run(mut self, app: App, gone: CancellationToken) {
        let mut head = app.feed.watch();
        loop {
            head.mark_unchanged();
            let events = self.next(&app).await;
            if events.is_empty() {
                tokio::select! {
                    () = gone.cancelled() => return,
                    moved = head.changed() => if moved.is_err() { return },
                }
            } else if !self.send(&events, &gone).await {
                return;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn next(&self, app: &App) -> Vec<Arc<Event>> {
        match app.feed.after(self.cursor, CHUNK.into()) {
            Next::Events(events) => events,
            Next::Older => match events::since(&app.db, self.cursor, CHUNK.into()).await {
                Ok(events) => events.into_iter().map(Arc::new).collect(),
                Err(error) => {
                    tracing::warn!(%error, "a socket waits for the log");
                    time::sleep(Duration::from_secs(1)).await;
                    Vec::new()
                }
            },
        }
    }

    /// False when the socket is gone.
    async fn send(&mut self, events: &[Arc<Event>], gone: &CancellationToken) -> bool {
        let room = self.room.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for event in events {
            if room.as_ref().is_some_and(|room| room.has(&event.source)) && !self.emit(event, gone).await {
                return false;
            }
            self.cursor = event.offset;
        }
        true
    }

    /// Waits as long as the socket's buffer is full; false when the socket is gone.
    async fn emit(&self, event: &Event, gone: &CancellationToken) -> bool {
        loop {
            let sent = if self.with_offset {
                self.socket.emit("msg", &(event.quoted(), event.offset))
            } else {
                self.socket.emit("msg", event.quoted())
            };
            match sent {
                Ok(()) => return true,
                Err(SendError::Socket(SocketError::InternalChannelFull)) => {}
                Err(error) => {
                    tracing::debug!(%error, "socket gone");
                    return false;
                }
            }
            tokio::select! {
                () = gone.cancelled() => return false,
                () = time::sleep(FULL_PAUSE) => {}
            }
        }
    }
}
