//! Connections that send a byte a second, or nothing at all, by the hundred, against both programs.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{Expected, STAGE, Trial, often, until};
use crate::support::stack::{Mode, Service, Stack};

/// A head and a body must each be there within 30 s (docs/operations.md); the rest is for a machine that is busy.
const CUT_OFF: Duration = Duration::from_mins(1);
/// Files that the programs may open meanwhile for what is not slow.
const OTHER_FILES: usize = 100;
/// Webhooks that are taken, and tasks that are delivered, while the slow ones are there.
const NORMAL: usize = 200;

/// So many of each kind come at once: of more the system would turn some away that never say anything, and so never come again.
const WAVE: usize = 100;

/// How a client is slow.
#[derive(Clone, Copy, Debug)]
enum Slowness {
    Head,
    Body,
    Silent,
}

const KINDS: [Slowness; 3] = [Slowness::Head, Slowness::Body, Slowness::Silent];

#[tokio::test]
async fn slow_heads_and_bodies_are_cut_off_and_hold_up_nobody_on_embedded_defaults() {
    outlives_slow_clients(Mode::Embedded).await;
}

#[tokio::test]
async fn slow_heads_and_bodies_are_cut_off_and_hold_up_nobody_on_postgres_and_redis() {
    outlives_slow_clients(Mode::PostgresAndRedis).await;
}

async fn outlives_slow_clients(mode: Mode) {
    let what = "Hundreds of clients send a byte of their head or body a second, or nothing";
    let mut trial = Trial::begin(what, mode, Stack::start(mode).await).await;
    let each = often(100, 500);
    let before = descriptors(&trial);
    trial.hurts();
    let mut slow = JoinSet::new();
    for begun in (0..each).step_by(WAVE) {
        be_slow_to_both(&trial.stack, &mut slow);
        until("all of them are connected", async || {
            descriptors(&trial).iter().zip(&before).all(|(open, before)| *open >= before + KINDS.len() * (begun + WAVE))
        })
        .await;
    }
    trial.goes_on(NORMAL).await;
    let batch = trial.stack.produce(&json!({"count": NORMAL, "wait": 0})).await;
    assert_eq!(trial.stack.ended(&batch, STAGE).await["delivered"].as_u64(), u64::try_from(NORMAL).ok());
    trial.all_are_ready().await;
    for (open, before) in descriptors(&trial).into_iter().zip(&before) {
        assert!(open <= before + KINDS.len() * each + OTHER_FILES, "{open} files are open, {before} were");
    }
    assert_eq!(slow.try_join_next().map(Result::unwrap), None, "all that was while the slow ones were there");
    let cut_off = async {
        while let Some(ended) = slow.join_next().await {
            ended.unwrap();
        }
    };
    tokio::time::timeout(CUT_OFF, cut_off).await.expect("all slow clients are cut off");
    trial.heals().await;
    assert_eq!(trial.load.refusals(), 0, "nobody who is not slow was refused");
    let memory_mib = u64::try_from(often(200, 256)).unwrap();
    trial.ends(&Expected { lines: 1, memory_mib, ..Expected::default() }).await;
}

/// Files and sockets that the consumer and the producer hold open.
fn descriptors(trial: &Trial) -> Vec<usize> {
    trial.services().map(|service| service.process.descriptors()).collect()
}

/// Begins [`WAVE`] of each kind.
fn be_slow_to_both(stack: &Stack, slow: &mut JoinSet<()>) {
    for (program, path) in [(&stack.consumer, "/consumetasks"), (&stack.producer, "/producetasks")] {
        for kind in KINDS {
            for _ in 0..WAVE {
                let address = address(program);
                slow.spawn(async move { check(kind, &be_slow(address, path, kind).await) });
            }
        }
    }
}

fn address(program: &Service) -> SocketAddr {
    program.url.trim_start_matches("http://").parse().unwrap()
}

/// Sends a byte a second until it is cut off; gives what it was told.
async fn be_slow(address: SocketAddr, path: &str, kind: Slowness) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n");
    let (at_once, slowly) = match kind {
        Slowness::Head => (head + "x-slow: ", "s"),
        Slowness::Body => (head + "content-length: 1000\r\n\r\n", "s"),
        Slowness::Silent => (String::new(), ""),
    };
    stream.write_all(at_once.as_bytes()).await.unwrap();
    let (mut reading, mut writing) = stream.split();
    let sending = async {
        loop {
            tokio::time::sleep(Duration::from_secs(1)).await;
            // That it is cut off is what the other half reads.
            let _ = writing.write_all(slowly.as_bytes()).await;
        }
    };
    let mut told = Vec::new();
    tokio::select! {
        () = sending => {}
        // Closed or reset: it is cut off.
        _ = reading.read_to_end(&mut told) => {}
    }
    String::from_utf8(told).unwrap()
}

/// Who sent a whole head is told why; who did not is told so, or nothing.
fn check(kind: Slowness, told: &str) {
    let is_told = told.starts_with("HTTP/1.1 408");
    let is_right = match kind {
        Slowness::Body => is_told,
        Slowness::Head | Slowness::Silent => is_told || told.is_empty(),
    };
    assert!(is_right, "{kind:?}: {told}");
}
