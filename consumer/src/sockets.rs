//! The socket.io server: its limits, who may connect, and who is there.

use std::{
    fmt,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::extract::ConnectInfo;
use prometheus_client::metrics::gauge::Gauge;
use socketioxide::{SocketIo, extract::SocketRef, layer::SocketIoLayer, socket::DisconnectReason};
use tokio::sync::OwnedSemaphorePermit;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{App, actions, live, metrics::NamespaceLabel, rooms};

/// Where clients of socket.io ask.
pub const PATH: &str = "/socket.io";
/// Sockets of one node; each may be in one namespace or in both.
pub const MAX_SOCKETS: usize = 16_384;
/// Packets that may wait for one socket. Who falls behind waits with its cursor, so few are enough, and a stalled peer holds little.
const SOCKET_BUFFER: usize = 256;
const MAX_INCOMING_BYTES: usize = 64 * 1024;

/// The socket.io server, without its namespaces.
#[must_use]
pub fn layer() -> (SocketIoLayer, SocketIo) {
    SocketIo::builder()
        .max_buffer_size(SOCKET_BUFFER)
        .max_payload(MAX_INCOMING_BYTES as u64)
        .ws_max_message_size(MAX_INCOMING_BYTES)
        .ws_max_frame_size(MAX_INCOMING_BYTES)
        .build_layer()
}

/// Opens the namespaces.
pub fn open(io: &SocketIo, app: &App) {
    rooms::open(io, app);
    live::open(io, app);
    actions::devices::open(io, app);
}

/// Says goodbye to all of them when it is time to stop.
pub async fn close(io: SocketIo, stop: CancellationToken) {
    stop.cancelled().await;
    io.close().await;
}

/// Why a socket may not come in.
#[derive(Debug)]
pub struct NotAdmitted(pub &'static str);

impl fmt::Display for NotAdmitted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

/// CORS does not hold for a WebSocket, so the Origin is looked at here; and the gate too.
///
/// # Errors
/// Says what to change.
pub fn admit(app: &App, socket: &SocketRef) -> Result<(), NotAdmitted> {
    let parts = socket.req_parts();
    let address = parts.extensions.get::<ConnectInfo<SocketAddr>>().map(|ConnectInfo(peer)| peer.ip());
    if !app.gate.allows(&parts.headers, address) {
        return Err(NotAdmitted("Send the admin password as the header Authorization: Bearer."));
    }
    admit_known(app, socket)
}

/// Lets in who only looks: as [`admit`] does, and a screen with its session as well.
///
/// # Errors
/// Says what to change.
pub async fn admit_viewer(app: &App, socket: &SocketRef) -> Result<(), NotAdmitted> {
    if actions::screens::session::is_good(app, &socket.req_parts().headers).await {
        admit_known(app, socket)
    } else {
        admit(app, socket)
    }
}

/// Lets in who showed a key of its own: the Origin is looked at all the same.
///
/// # Errors
/// Says what to change.
pub fn admit_known(app: &App, socket: &SocketRef) -> Result<(), NotAdmitted> {
    if !app.edge.origin_is_good(&socket.req_parts().headers) {
        return Err(NotAdmitted(
            "A page of another origin may not connect here. Name its origin in ALLOWED_ORIGINS if it should.",
        ));
    }
    let Ok(place) = app.sockets.clone().try_acquire_owned() else {
        return Err(NotAdmitted("As many sockets are connected as this service takes. Come again later."));
    };
    socket.extensions.insert(Place(Arc::new(Mutex::new(Some(place)))));
    Ok(())
}

/// The place that [`admit`] took for the socket.
#[derive(Clone)]
struct Place(Arc<Mutex<Option<OwnedSemaphorePermit>>>);

/// A socket that is there. When it goes, it is counted out, its place is free, and its token ends.
struct Presence {
    gauge: Gauge,
    _place: Option<OwnedSemaphorePermit>,
    _gone: DropGuard,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.gauge.dec();
    }
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
    let place = socket.extensions.remove::<Place>().and_then(|Place(place)| take(&place));
    let presence = Presence { gauge, _place: place, _gone: gone.clone().drop_guard() };
    let presence = Arc::new(Mutex::new(Some(presence)));
    let going = move |socket: &SocketRef| {
        if take(&presence).is_some() {
            leave(socket);
        }
    };
    let gone_already = going.clone();
    socket.on_disconnect(move |socket: SocketRef, reason: DisconnectReason| async move {
        if matches!(reason, DisconnectReason::HeartbeatTimeout) {
            tracing::info!(namespace, "a viewer took nothing, or said nothing, for too long and was cut off");
        }
        going(&socket);
    });
    // A hasty one was gone before it could be heard going.
    if !socket.connected() {
        gone_already(socket);
    }
    gone
}

fn take<T>(slot: &Mutex<Option<T>>) -> Option<T> {
    slot.lock().unwrap_or_else(PoisonError::into_inner).take()
}
