//! The limit of sending: keeps so many POSTs of a task in flight, by one reqwest client or by a bare hyper connection each; nothing is stored or signed.

use std::{
    io::Write,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, StatusCode, Uri, client::conn::http1};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpStream, task::JoinSet};

/// As the programs that are measured beside it.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const USAGE: &str = "usage: outgoing reqwest|hyper URL IN_FLIGHT SECONDS [COUNT]";

/// What is posted until when: the next number, the last one, and the time.
struct Work {
    url: String,
    next: AtomicU64,
    count: u64,
    end: Instant,
}

impl Work {
    /// The next task's id and body; `None` when that was all.
    fn next(&self) -> Option<(String, Bytes)> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        if id >= self.count || Instant::now() >= self.end {
            return None;
        }
        let batch = "3f2b1c9e-7a64-4c1e-9b1e-0a1b2c3d4e5f";
        let body = format!(r#"{{"batchid":"{batch}","id":{id},"owner":"Norma Fisher-Jones","priority":"Major"}}"#);
        Some((format!("{batch}-{id}"), body.into()))
    }
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [kind, url, in_flight, seconds, rest @ ..] = args.as_slice() else { anyhow::bail!(USAGE) };
    let began = Instant::now();
    let work = Arc::new(Work {
        url: url.clone(),
        next: AtomicU64::new(0),
        count: rest.first().map_or(Ok(u64::MAX), |count| count.parse())?,
        end: began + Duration::from_secs(seconds.parse()?),
    });
    let mut lanes = JoinSet::new();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().pool_max_idle_per_host(1024).build()?;
    for _ in 0..in_flight.parse::<usize>()? {
        match kind.as_str() {
            "reqwest" => lanes.spawn(by_reqwest(client.clone(), Arc::clone(&work))),
            "hyper" => lanes.spawn(by_hyper(Arc::clone(&work))),
            _ => anyhow::bail!(USAGE),
        };
    }
    let mut sent = 0;
    while let Some(lane) = lanes.join_next().await {
        sent += lane??;
    }
    writeln!(std::io::stdout(), r#"{{"sent":{sent},"seconds":{}}}"#, began.elapsed().as_secs_f64())?;
    Ok(())
}

async fn by_reqwest(client: reqwest::Client, work: Arc<Work>) -> anyhow::Result<u64> {
    let mut sent = 0;
    while let Some((id, body)) = work.next() {
        let request = client.post(&work.url).header("content-type", "application/json").header("webhook-id", id);
        let answer = request.body(body).send().await?;
        ensure!(answer.status() == StatusCode::OK, "answered {}", answer.status());
        answer.bytes().await?;
        sent += 1;
    }
    Ok(sent)
}

async fn by_hyper(work: Arc<Work>) -> anyhow::Result<u64> {
    let url: Uri = work.url.parse()?;
    let authority = url.authority().context("the URL has no host")?.as_str();
    let stream = TcpStream::connect(authority).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let connection = tokio::spawn(connection);
    let mut sent = 0;
    while let Some((id, body)) = work.next() {
        let request = Request::post(url.path()).header("host", authority).header("content-type", "application/json");
        let request = request.header("webhook-id", id).body(Full::new(body))?;
        sender.ready().await?;
        let answer = sender.send_request(request).await?;
        ensure!(answer.status() == StatusCode::OK, "answered {}", answer.status());
        answer.into_body().collect().await?;
        sent += 1;
    }
    drop(sender);
    connection.await??;
    Ok(sent)
}
