//! `/devices`: the socket.io namespace of devices that obey. A device comes with its key, is told how things stand, gets its commands in order, and
//! does one when its acknowledgement is answered with `execute`.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};

use axum::extract::ConnectInfo;
use common::time::{now_ms, rfc3339};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use socketioxide::{
    SendError, SocketError, SocketIo,
    extract::{AckSender, SocketRef, TryData},
    handler::ConnectHandler,
};
use tokio::time;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    doors,
    orders::{self, Orders},
    screens::showing,
};
use crate::{
    App,
    sockets::{self, NotAdmitted},
    store::actions::{
        commands::{self, Command, News},
        devices::{self as store, Device, Presence},
    },
};

const DEVICES: &str = "/devices";
/// How long a device counts as connected without being seen again.
pub const LEASE_MS: i64 = 15_000;
const MAX_SAID_CHARS: usize = 500;
const PAUSE: Duration = Duration::from_millis(20);
const WAIT_AFTER_ERROR: Duration = Duration::from_millis(500);

/// What a device says when it connects.
#[derive(Debug, Default, Deserialize)]
struct Auth {
    #[serde(default)]
    key: String,
    /// The last command that it did; nothing: it does not know.
    last: Option<i64>,
}

/// A connection of a device.
#[derive(Clone)]
struct Connection {
    device: Device,
    session: String,
    last: Option<i64>,
}

impl Connection {
    /// The device, and the connection.
    fn names(&self) -> (&str, &str) {
        (&self.device.id, &self.session)
    }
}

/// A command, as a device gets it.
#[derive(Serialize)]
struct Order<'a> {
    id: i64,
    execution: &'a str,
    function: &'a str,
    parameters: &'a RawValue,
    /// RFC 3339, UTC; null: it is good until it is taken back.
    expires_at: Option<String>,
}

/// How things stand when a device connects.
#[derive(Serialize)]
struct State<'a> {
    device: &'a str,
    groups: &'a [String],
    tags: &'a [String],
    /// The parameters of the emergency that the device is under; null: of none.
    emergency: Option<Box<RawValue>>,
}

/// Opens the namespace.
pub fn open(io: &SocketIo, app: &App) {
    let (serving, admitting) = (app.clone(), app.clone());
    let connected = async move |socket: SocketRef| welcome(&serving, &socket);
    let admit = async move |socket: SocketRef, TryData(auth): TryData<Auth>| {
        admit(&admitting, &socket, auth.unwrap_or_default()).await
    };
    io.ns(DEVICES, connected.with(admit));
}

async fn admit(app: &App, socket: &SocketRef, auth: Auth) -> Result<(), NotAdmitted> {
    let peer = socket.req_parts().extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    let peer = peer.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let found = store::by_hash(&app.db, &doors::hash(&auth.key)).await;
    let found = found.map_err(|error| {
        app.db.failed(&error, "a device cannot be looked up");
        NotAdmitted("The database does not answer. Connect again.")
    })?;
    let Some(device) = found else {
        if app.doors.count_guess(peer).is_err() {
            return Err(NotAdmitted("Too many wrong keys from this address. Come again in a minute."));
        }
        return Err(NotAdmitted("Connect with auth {\"key\": …}: the key that was shown when the device was made."));
    };
    sockets::admit_known(app, socket)?;
    let connection = Connection { device, session: Uuid::new_v4().to_string(), last: auth.last };
    listen(app, socket, &connection);
    socket.extensions.insert(connection);
    Ok(())
}

/// Listens before the device is told that it is connected: what it says at once is heard, too.
fn listen(app: &App, socket: &SocketRef, connection: &Connection) {
    for (event, news) in [("ack", acknowledged as Word), ("done", News::Done), ("failed", News::Failed)] {
        let (app, connection) = (app.clone(), connection.clone());
        let hear = async move |TryData(said): TryData<Said>, ack: AckSender| {
            hear(&app, &connection, (said.ok(), news), ack).await;
        };
        socket.on(event, hear);
    }
    showing::follow(app, socket, (connection.device.id.clone(), connection.session.clone()));
}

fn welcome(app: &App, socket: &SocketRef) {
    let Some(connection) = socket.extensions.get::<Connection>() else { return };
    let (leaving, gone_app) = (connection.clone(), app.clone());
    let gone = sockets::count(app, socket, DEVICES, move |_| {
        gone_app.tasks.spawn(leave(gone_app.clone(), leaving));
    });
    let (app, socket) = (app.clone(), socket.clone());
    app.tasks.clone().spawn(async move {
        let end = gone.child_token();
        gone.run_until_cancelled(serve(&app, &socket, &connection, &end)).await;
        // Ended by us, for a newer connection or because it is too far behind.
        let _ = socket.disconnect();
    });
}

async fn leave(app: App, connection: Connection) {
    orders::leave(&app, &connection.device.id, &connection.session).await;
}

/// What a device says of a command.
#[derive(Debug, Deserialize)]
struct Said {
    id: i64,
    text: Option<String>,
}

/// What it is answered: where the command stands, and after an acknowledgement whether to do it.
#[derive(Debug, Default, Serialize)]
struct Heard {
    execute: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'static str>,
}

/// What a word of a device means, with the text that comes with it.
type Word = fn(Option<String>) -> News;

fn acknowledged(_: Option<String>) -> News {
    News::Acknowledged
}

async fn hear(app: &App, from: &Connection, (said, news): (Option<Said>, Word), ack: AckSender) {
    let heard = match said {
        None => Heard { error: Some("say {\"id\": the id of the command, \"text\": …}"), ..Heard::default() },
        Some(said) => {
            let news = news(said.text.map(|text| printable(&text)));
            let is_ack = news == News::Acknowledged;
            match app.fleet.report(orders::report(from.names(), said.id, news)).await {
                None => Heard { error: Some("not stored; say it again"), ..Heard::default() },
                Some(told) => Heard { execute: is_ack && told.moved, state: told.state, error: None },
            }
        }
    };
    if let Err(error) = ack.send(&heard) {
        tracing::debug!(%error, "a report is not answered");
    }
}

fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).take(MAX_SAID_CHARS).collect()
}

/// Serves a connection until `end`, or until the socket is gone; when the database fails it ends too, and the device comes again.
async fn serve(app: &App, socket: &SocketRef, connection: &Connection, end: &CancellationToken) {
    if let Err(error) = follow(app, socket, connection, end).await {
        app.db.failed(&error, "a device is not served; it has to connect again");
        time::sleep(WAIT_AFTER_ERROR).await;
    }
}

/// Tells a device how things stand, then what it has still to do, then what comes.
async fn follow(app: &App, socket: &SocketRef, to: &Connection, end: &CancellationToken) -> sqlx::Result<()> {
    let Some(mut orders) = begin(app, to, end).await? else { return Ok(()) };
    let mut is_there = emit(socket, "state", &state(app, &to.device).await?).await;
    while is_there && let Some(next) = end.run_until_cancelled(orders.next(&app.db)).await {
        let Some(command) = next? else { break };
        is_there = send(app, socket, to, &command).await;
    }
    Ok(())
}

/// Takes the place of older connections. Gives what the device has to do; `None`: it was deleted.
async fn begin(app: &App, connection: &Connection, end: &CancellationToken) -> sqlx::Result<Option<Orders>> {
    let Connection { device, session, last } = connection;
    let now_ms = now_ms();
    let here = Presence { session, node: &app.fleet.node, now_ms, until_ms: now_ms + LEASE_MS };
    if !store::arrive(&app.db, &device.id, here).await? {
        return Ok(None);
    }
    // A number that we never gave is of another database: it says nothing here.
    let head = commands::head(&app.db).await?;
    let last = last.filter(|last| (0..=head).contains(last));
    if let Some(last) = last {
        commands::settle(&app.db, &device.id, last, now_ms).await?;
    }
    // Who does not know what it did gets nothing again that it acknowledged.
    Ok(Some(Orders::new(&device.id, last.unwrap_or(i64::MAX), app.fleet.join(&device.id, session, end.clone()))))
}

/// How things stand for the device: the last word on emergencies that means it counts.
async fn state<'a>(app: &App, device: &'a Device) -> sqlx::Result<State<'a>> {
    let lasting = orders::last_word(&app.db, device).await?.filter(orders::is_lasting);
    let emergency = lasting.and_then(|word| RawValue::from_string(word.parameters?).ok());
    Ok(State { device: &device.name, groups: &device.groups, tags: &device.tags, emergency })
}

/// Sends a command; false when the socket is gone.
async fn send(app: &App, socket: &SocketRef, to: &Connection, command: &Command) -> bool {
    let Ok(parameters) = serde_json::from_str(&command.parameters) else { return true };
    let order = Order {
        id: command.number,
        execution: &command.execution,
        function: &command.function,
        parameters,
        expires_at: (command.expires_ms != i64::MAX).then(|| rfc3339(command.expires_ms)),
    };
    // Before it goes: else the acknowledgement could be stored first, and it would look as if it was never sent.
    app.fleet.mention(orders::report(to.names(), command.number, News::Sent));
    emit(socket, "command", &order).await
}

/// Waits as long as the socket's buffer is full; false when the socket is gone.
async fn emit(socket: &SocketRef, event: &str, value: &impl Serialize) -> bool {
    loop {
        match socket.emit(event, value) {
            Ok(()) => return true,
            Err(SendError::Socket(SocketError::InternalChannelFull)) => time::sleep(PAUSE).await,
            Err(error) => {
                tracing::debug!(%error, "device gone");
                return false;
            }
        }
    }
}
