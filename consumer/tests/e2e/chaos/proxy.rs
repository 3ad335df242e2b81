//! A TCP proxy that can be cut, or stall, between one program and what it talks to.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What happens to what comes in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    Open,
    /// Connections are closed, and new ones too.
    Cut,
    /// Connections stand, and nothing passes.
    Stalled,
}

/// Relays until it is dropped.
pub struct Proxy {
    pub address: SocketAddr,
    way: watch::Sender<Way>,
}

impl Proxy {
    /// In front of `target`, on a port of its own; open.
    pub async fn before(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (way, watched) = watch::channel(Way::Open);
        tokio::spawn(serve(listener, target.to_owned(), watched));
        Self { address, way }
    }

    pub fn becomes(&self, way: Way) {
        self.way.send_replace(way);
    }
}

async fn serve(listener: TcpListener, target: String, mut way: watch::Receiver<Way>) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            // The proxy was dropped.
            Err(_) = way.changed() => return,
        };
        let Ok((client, _)) = accepted else { continue };
        if *way.borrow() != Way::Cut {
            tokio::spawn(connect(client, target.clone(), way.clone()));
        }
    }
}

async fn connect(client: TcpStream, target: String, way: watch::Receiver<Way>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
    tokio::select! {
        () = relay(from_client, to_server, way.clone()) => {}
        () = relay(from_server, to_client, way) => {}
    }
}

/// Until either side ends, or the way is cut.
async fn relay(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut way: watch::Receiver<Way>) {
    let mut bytes = vec![0; 64 * 1024];
    loop {
        let now = *way.borrow_and_update();
        let read = tokio::select! {
            read = from.read(&mut bytes), if now == Way::Open => read,
            changed = way.changed() => if changed.is_err() { return } else { continue },
            () = std::future::ready(()), if now == Way::Cut => return,
        };
        match read {
            Ok(length) if length > 0 && to.write_all(&bytes[..length]).await.is_ok() => {}
            _ => return,
        }
    }
}
