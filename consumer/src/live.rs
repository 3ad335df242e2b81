//! `/live`: what our own pages follow. At most ten frames a second, each with everything a page shows, so that a page costs the same
//! at 10 and at 50 000 events a second.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::time::rfc3339;
use serde::{Deserialize, Serialize, Serializer};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef, TryData},
    handler::ConnectHandler,
};
use tokio::time::{self, Instant};
use tokio_util::sync::CancellationToken;

use crate::{
    App,
    counts::Counts,
    event::{Event, Repeated, Summary},
    feed::Snapshot,
    sockets,
    store::counts::Tally,
    welcome::Welcome,
};

const LIVE: &str = "/live";
const FRAME_INTERVAL: Duration = Duration::from_millis(100);
/// A frame comes at least this often, so that a page knows it is not cut off.
const HEARTBEAT: Duration = Duration::from_secs(1);
const MAX_FRAME_EVENTS: usize = 60;
/// Sources that are followed by themselves at the same time.
const MAX_ROOMS: usize = 64;

/// Who follows what; a clone is the same.
#[derive(Clone, Debug, Default)]
pub struct Audience(Arc<Followers>);

#[derive(Debug, Default)]
struct Followers {
    /// How many sockets follow each source; the empty name is all of them.
    rooms: Mutex<HashMap<String, usize>>,
    /// To be held from when something is read until it is told, by a page that joins and by a frame: what is told never goes back.
    turn: tokio::sync::Mutex<()>,
}

impl Audience {
    fn rooms(&self) -> MutexGuard<'_, HashMap<String, usize>> {
        self.0.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether any page is open.
    #[must_use]
    pub fn is_followed(&self) -> bool {
        !self.rooms().is_empty()
    }
}

/// What a page is told at once.
#[derive(Debug, Serialize)]
pub struct Frame<'a> {
    head: i64,
    tail: i64,
    at: &'a str,
    counts: Counts,
    rate: f64,
    seconds: Vec<Second>,
    events: Vec<Summary<'a>>,
    /// Another one when kept events were read by other rules: what a page has of them is old.
    reread: Option<&'a str>,
    /// What was repeated of the newest events: the count moves when the events do not.
    repeated: Vec<Again>,
}

#[derive(Debug, Serialize)]
struct Again {
    offset: i64,
    repeats: i64,
    repeated_at: String,
}

/// Unix time and the counts of that second, written as one array.
#[derive(Debug)]
struct Second(i64, Tally);

impl Serialize for Second {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Self(at, [low, moderate, major, critical, other]) = self;
        [*at, *low, *moderate, *major, *critical, *other].serialize(serializer)
    }
}

impl<'a> Frame<'a> {
    fn new(snapshot: &'a Snapshot) -> Self {
        Self {
            head: snapshot.head,
            tail: snapshot.tail,
            at: &snapshot.at,
            counts: Counts::new(snapshot.totals, snapshot.head),
            rate: snapshot.rate,
            seconds: snapshot.seconds.iter().map(|(at, tally)| Second(*at, *tally)).collect(),
            events: snapshot.events.iter().map(|event: &Arc<Event>| event.summary()).collect(),
            reread: snapshot.version.as_deref(),
            repeated: snapshot.repeated.iter().map(Again::of).collect(),
        }
    }
}

impl Again {
    fn of(repeated: &Repeated) -> Self {
        let Repeated { offset, repeats, repeated_ms } = *repeated;
        Self { offset, repeats, repeated_at: rfc3339(repeated_ms) }
    }
}

/// What a page asks when it joins: the last offset it has, and one source or all.
#[derive(Debug, Default, Deserialize)]
struct Join {
    since: Option<i64>,
    source: Option<String>,
}

#[derive(Serialize)]
struct Joined<'a> {
    recovered: bool,
    frame: Frame<'a>,
}

#[derive(Serialize)]
struct Refused {
    error: &'static str,
}

/// The room of a source, kept with the socket.
#[derive(Clone, Debug)]
struct Place(String);

/// Opens the namespace.
pub fn open(io: &SocketIo, app: &App) {
    let (following, admitting) = (app.clone(), app.clone());
    let connected = async move |socket: SocketRef| welcome(&following, &socket);
    let admit = async move |socket: SocketRef| {
        sockets::admit_viewer(&admitting, &socket).await.inspect(|()| listen(&admitting, &socket))
    };
    io.ns(LIVE, connected.with(admit));
    app.tasks.spawn(frames(io.clone(), app.clone(), app.stop.clone()));
}

fn welcome(app: &App, socket: &SocketRef) {
    let audience = app.audience.clone();
    sockets::count(app, socket, LIVE, move |socket| {
        if let Some(Place(room)) = socket.extensions.remove::<Place>() {
            leave(&mut audience.rooms(), &room);
        }
    });
    Welcome::give(socket, ());
}

fn listen(app: &App, socket: &SocketRef) {
    let (app, welcome) = (app.clone(), Welcome::<()>::expected(socket));
    socket.on("join", async move |socket: SocketRef, TryData(asked): TryData<Join>, ack: AckSender| {
        let Some(()) = welcome.given(&app).await else { return };
        let asked = asked.unwrap_or_default();
        let source = asked.source.filter(|source| !source.is_empty());
        let _turn = app.audience.0.turn.lock().await;
        let sent = if move_to(&app, &socket, source.clone().unwrap_or_default()) {
            let since = asked.since.unwrap_or(-1);
            let snapshot = app.feed.snapshot(source.as_deref(), since, MAX_FRAME_EVENTS);
            let recovered = app.feed.reaches_back_to(since);
            ack.send(&Joined { recovered, frame: Frame::new(&snapshot) })
        } else {
            ack.send(&Refused { error: "as many sources are followed by themselves as may be; join without a source" })
        };
        if let Err(error) = sent {
            tracing::debug!(%error, "join not acknowledged");
        }
    });
}

/// Puts the socket into one room; false when there are too many rooms, or it is gone.
fn move_to(app: &App, socket: &SocketRef, room: String) -> bool {
    let mut rooms = app.audience.rooms();
    if !socket.connected() || (!rooms.contains_key(&room) && rooms.len() >= MAX_ROOMS) {
        return false;
    }
    if let Some(Place(before)) = socket.extensions.get::<Place>() {
        socket.leave(before.clone());
        leave(&mut rooms, &before);
    }
    *rooms.entry(room.clone()).or_default() += 1;
    socket.join(room.clone());
    socket.extensions.insert(Place(room));
    true
}

fn leave(rooms: &mut HashMap<String, usize>, room: &str) {
    if let Some(members) = rooms.get_mut(room) {
        *members -= 1;
        if *members == 0 {
            rooms.remove(room);
        }
    }
}

/// Sends frames: at most ten a second when something arrived, one a second when nothing did.
async fn frames(io: SocketIo, app: App, stop: CancellationToken) {
    let mut head = app.feed.watch();
    let (mut last_head, mut last_sent) = (app.feed.head(), Instant::now());
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            moved = head.changed() => if moved.is_err() { return },
            () = time::sleep_until(last_sent + HEARTBEAT) => {}
        }
        time::sleep_until(last_sent + FRAME_INTERVAL).await;
        last_sent = Instant::now();
        let reached = *head.borrow_and_update();
        let rooms: Vec<String> = app.audience.rooms().keys().cloned().collect();
        for room in rooms {
            send(&io, &app, room, last_head).await;
        }
        app.metrics.head.set(reached);
        last_head = reached;
    }
}

async fn send(io: &SocketIo, app: &App, room: String, since: i64) {
    let source = (!room.is_empty()).then_some(room.as_str());
    let _turn = app.audience.0.turn.lock().await;
    let snapshot = app.feed.snapshot(source, since, MAX_FRAME_EVENTS);
    let Some(live) = io.of(LIVE) else { return };
    if let Err(error) = live.to(room.clone()).emit("frame", &Frame::new(&snapshot)).await {
        // A page whose buffer is full gets the next frame: it says all that this one said, but for the newest rows, which the page asks for.
        tracing::debug!(%error, "a frame was not taken");
    }
}
