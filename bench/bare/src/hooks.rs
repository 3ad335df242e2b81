//! The tutorial's consumer on socketioxide: each task goes to whoever joined the room, and is kept nowhere.

use std::convert::Infallible;

use axum::{Json, Router, extract::State, routing::post};
use socketioxide::{
    SocketIo,
    extract::{AckSender, SocketRef},
    handler::ConnectHandler,
};

use crate::Task;

const COLLECT: &str = "/collectHooks";
const ROOM: &str = "tasks";
/// Messages that may wait for one socket; what comes while so many wait, the socket never gets. The library's own 128 would lose nearly all.
const SOCKET_BUFFER: usize = 4096;

pub fn router() -> Router {
    let (layer, io) = SocketIo::builder().max_buffer_size(SOCKET_BUFFER).build_layer();
    let connected = async || {};
    // Before the client is told that it is connected: it joins at once, and the connect handler is a task that may come later.
    let admit = async |socket: SocketRef| {
        listen(&socket);
        Ok::<(), Infallible>(())
    };
    io.ns(COLLECT, connected.with(admit));
    Router::new().route("/consumetasks", post(pass_on)).with_state(io).layer(layer)
}

fn listen(socket: &SocketRef) {
    socket.on("join_room", async |socket: SocketRef, ack: AckSender| {
        socket.join(ROOM);
        drop(ack.send(&()));
    });
}

async fn pass_on(State(io): State<SocketIo>, Json(task): Json<Task>) -> &'static str {
    if let (Some(hooks), Ok(text)) = (io.of(COLLECT), serde_json::to_string(&task)) {
        // It fails when a socket's buffer is full.
        let _ = hooks.to(ROOM).emit("msg", &text).await;
    }
    "OK"
}
