//! Listening and ending: the accept loop with its limits, and the layers that every page and API stands behind.

use std::{convert::Infallible, net::SocketAddr, pin::Pin, sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    extract::{ConnectInfo, Request},
    response::Response,
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::{self, Instant},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use crate::files;

/// A request's head must be complete within this time; an idle connection is closed after it too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(30);
/// A peer that takes no byte for this long is gone, though its connection stands (Linux).
const STALLED_TIMEOUT: Duration = Duration::from_secs(30);
/// What is under way when the end is called for may take this long.
const GRACE: Duration = Duration::from_secs(6);
/// Fewer where the process may not have so many files open.
const MAX_CONNECTIONS: usize = 16_384;
/// That no connection can be taken is said no more often.
const QUIET: Duration = Duration::from_mins(1);

/// Serves `answer` until `stop`, then finishes what is under way, at most for [`GRACE`].
///
/// Every request has the peer's address as an extension `ConnectInfo<SocketAddr>`. [`by_router`] makes an `answer` of a router.
pub async fn run(listener: TcpListener, answer: Answer, stop: CancellationToken) {
    let connections = TaskTracker::new();
    let room = Arc::new(Semaphore::new(files::room_for_connections(MAX_CONNECTIONS)));
    let mut told_at = None;
    while let Some((stream, peer)) = accept(&listener, &stop, &mut told_at).await {
        let Ok(place) = room.clone().acquire_owned().await else { break };
        let serving = connection(stream, peer, answer.clone(), stop.clone());
        connections.spawn(async move {
            serving.await;
            drop(place);
        });
    }
    drop(listener);
    connections.close();
    if time::timeout(GRACE, connections.wait()).await.is_err() {
        tracing::warn!(connections = connections.len(), "gave up on connections that did not end");
    }
}

/// What is served: a request in, its response in the making out.
pub type Answer = Arc<dyn Fn(Request) -> Answering + Send + Sync>;

/// A response in the making.
pub type Answering = Pin<Box<dyn Future<Output = Response> + Send>>;

/// The router as what [`run`] serves.
#[must_use]
pub fn by_router(router: Router) -> Answer {
    Arc::new(move |request| {
        let answering = router.clone().oneshot(request);
        Box::pin(async move { answering.await.unwrap_or_else(|never| match never {}) })
    })
}

/// The next connection; `None` when it is time to stop. `told_at` is when it was last said that none can be taken.
async fn accept(
    listener: &TcpListener,
    stop: &CancellationToken,
    told_at: &mut Option<Instant>,
) -> Option<(TcpStream, SocketAddr)> {
    loop {
        let accepted = tokio::select! {
            () = stop.cancelled() => return None,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok(connection) => return Some(connection),
            Err(error) => {
                if told_at.is_none_or(|told_at| told_at.elapsed() >= QUIET) {
                    tracing::warn!(%error, "cannot take a connection; trying again");
                    *told_at = Some(Instant::now());
                }
                time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, answer: Answer, stop: CancellationToken) {
    tune(&stream);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        let answering = answer(request);
        async move { Ok::<_, Infallible>(answering.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended");
    }
}

fn tune(stream: &TcpStream) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "cannot set TCP_NODELAY");
    }
    #[cfg(target_os = "linux")]
    if let Err(error) = socket2::SockRef::from(stream).set_tcp_user_timeout(Some(STALLED_TIMEOUT)) {
        tracing::debug!(%error, "cannot set TCP_USER_TIMEOUT");
    }
}

/// A token that SIGTERM or Ctrl-C cancels.
///
/// # Errors
/// When the operating system refuses to tell of signals.
pub fn stop_on_signals() -> anyhow::Result<CancellationToken> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        told.cancel();
    });
    Ok(stop)
}

/// Asks the service that listens there, on this machine, for `/readyz`, as a container's health check does.
///
/// # Errors
/// When it does not answer within 3 s, or says that it is not ready.
pub fn ask_ready(listen: SocketAddr) -> anyhow::Result<()> {
    use std::io::{Read, Write};
    let everywhere = listen.ip().is_unspecified();
    let local = if everywhere { SocketAddr::from(([127, 0, 0, 1], listen.port())) } else { listen };
    let timeout = Some(Duration::from_secs(3));
    let mut stream = std::net::TcpStream::connect_timeout(&local, Duration::from_secs(3))?;
    stream.set_read_timeout(timeout)?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    anyhow::ensure!(answer.starts_with("HTTP/1.1 200"), "not ready: {}", answer.lines().next().unwrap_or("no answer"));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_asked_where_it_listens() {
        use std::io::{Read, Write};
        let listener = std::net::TcpListener::bind("127.0.0.2:0").unwrap();
        let listen = listener.local_addr().unwrap();
        let answering = std::thread::spawn(move || {
            let (mut asker, _) = listener.accept().unwrap();
            let read = asker.read(&mut [0; 1024]).unwrap();
            asker.write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            read
        });
        ask_ready(listen).unwrap();
        assert!(answering.join().unwrap() > 0);
    }
}
