//! `/collectHooks`, the tutorial's namespace: after `join_room` a client gets one `msg` an event.
//!
//! Each socket has a cursor of its own in the log, so a slow one is never skipped: it gets what it missed from the feed's memory, or from
//! the log itself.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, TryData},
    handler::ConnectHandler,
};
use tokio_util::sync::CancellationToken;

use crate::{
    App,
    flow::{Flow, Room, SharedRoom},
    sockets::{self, NotAdmitted},
};

const COLLECT: &str = "/collectHooks";

/// Opens the namespace.
pub fn open(io: &SocketIo, app: &App) {
    let (collecting, admitting) = (app.clone(), app.clone());
    let connected = async move |socket: SocketRef| welcome(&collecting, &socket);
    let admit = async move |socket: SocketRef| {
        sockets::admit(&admitting, &socket)?;
        listen(&admitting, &socket);
        Ok::<_, NotAdmitted>(())
    };
    io.ns(COLLECT, connected.with(admit));
}

fn welcome(app: &App, socket: &SocketRef) {
    let gone = sockets::count(app, socket, COLLECT, |_| {});
    socket.extensions.insert(Listener { room: SharedRoom::default(), gone });
    sockets::is_welcome(socket);
}

fn listen(app: &App, socket: &SocketRef) {
    let app = app.clone();
    socket.on("join_room", async move |socket: SocketRef, TryData(asked): TryData<Value>, ack: AckSender| {
        sockets::arrived(&socket).await;
        let Some(listener) = socket.extensions.get::<Listener>() else { return };
        let answer = match Asked::read(asked.unwrap_or_default()) {
            Ok(asked) => listener.join(&app, &socket, asked),
            Err(problem) => Joined::Refused { error: problem },
        };
        if let Err(error) = ack.send(&answer) {
            tracing::debug!(%error, "join_room not acknowledged");
        }
    });
}

/// What a client asks of `join_room`: nothing, the name of a source, or `{"since": OFFSET or null, "source": NAME}`.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    since: Option<i64>,
    source: Option<String>,
    /// Who asks with an object wants the offset with each `msg`.
    #[serde(skip)]
    with_offset: bool,
}

impl Asked {
    fn read(argument: Value) -> Result<Self, &'static str> {
        match argument {
            Value::Null => Ok(Self::default()),
            Value::String(source) => Ok(Self { source: Some(source), ..Self::default() }),
            argument => serde_json::from_value(argument)
                .map(|asked: Self| Self { with_offset: true, ..asked })
                .map_err(|_| "join_room takes nothing, the name of a source, or {\"since\": OFFSET, \"source\": NAME}"),
        }
    }
}

/// The answer to `join_room`, for clients that ask for one.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Joined {
    Welcome {
        head: i64,
        /// False when what follows `since` is not all sent: the log no longer reaches back, or the socket has joined before.
        recovered: bool,
    },
    Refused {
        error: &'static str,
    },
}

/// A socket that may have joined.
#[derive(Clone, Debug)]
struct Listener {
    room: SharedRoom,
    gone: CancellationToken,
}

impl Listener {
    /// The first join begins the flow; a further one only widens the room.
    fn join(&self, app: &App, socket: &SocketRef, asked: Asked) -> Joined {
        let head = app.feed.head();
        let mut room = self.room.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(room) = room.as_mut() {
            if room.widen(asked.source) {
                return Joined::Welcome { head, recovered: asked.since.is_none() };
            }
            return Joined::Refused { error: "this socket follows as many sources as it may; join without a name" };
        }
        *room = Some(Room::new(asked.source));
        drop(room);
        let reaches_back = app.feed.reaches_back_to(asked.since.unwrap_or(head));
        let cursor = asked.since.unwrap_or(head).clamp(0, head);
        let flow = Flow { socket: socket.clone(), room: self.room.clone(), cursor, with_offset: asked.with_offset };
        app.tasks.spawn(flow.run(app.clone(), self.gone.clone()));
        Joined::Welcome { head, recovered: reaches_back }
    }
}
