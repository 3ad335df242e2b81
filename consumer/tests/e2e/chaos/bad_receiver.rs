//! A receiver that answers as no receiver should, until it is told to be good.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// How a receiver is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    Answers500,
    /// Takes the request and says nothing.
    Hangs,
    /// Takes the request and resets the connection.
    Resets,
    /// Begins a good answer whose headers never end.
    EndlessHeaders,
    /// Answers 500 with ten gigabytes.
    HugeBody,
    /// Redirects to itself.
    RedirectsInACircle,
    /// Answers 429, and asks to be left alone for two seconds.
    AsksForPatience,
}

/// What no receiver should do; to ask for patience is fine.
pub const FAULTS: [Fault; 6] =
    [Fault::Answers500, Fault::Hangs, Fault::Resets, Fault::EndlessHeaders, Fault::HugeBody, Fault::RedirectsInACircle];

const TEN_GIGABYTES: u64 = 10 << 30;

impl Fault {
    /// What an attempt that met it says: the word for programs, and some of the words for people.
    pub fn reason(self) -> (&'static str, &'static str) {
        match self {
            Self::Answers500 | Self::HugeBody => ("status", "500 Internal Server Error: the receiver failed"),
            Self::Hangs => ("timeout", "no answer within 1 s"),
            Self::Resets => ("disconnected", "ended the connection without an answer"),
            Self::EndlessHeaders => ("malformed", "answered with what is not HTTP"),
            Self::RedirectsInACircle => ("redirect", "Webhooks do not follow"),
            Self::AsksForPatience => ("busy", "the receiver is busy"),
        }
    }
}

/// Listens on a port of its own until it is dropped.
pub struct BadReceiver {
    pub fault: Fault,
    address: SocketAddr,
    shared: Arc<Shared>,
    serving: JoinHandle<()>,
}

#[derive(Default)]
struct Shared {
    is_good: AtomicBool,
    /// Requests that met the fault.
    met: AtomicU64,
    /// How often each `webhook-id` was answered 200.
    accepted: Mutex<HashMap<String, u64>>,
}

impl BadReceiver {
    pub async fn start(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let shared = Arc::new(Shared::default());
        let serving = tokio::spawn(serve(listener, fault, Arc::clone(&shared)));
        Self { fault, address, shared, serving }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hooks", self.address)
    }

    pub fn become_good(&self) {
        self.shared.is_good.store(true, Ordering::SeqCst);
    }

    pub fn met(&self) -> u64 {
        self.shared.met.load(Ordering::SeqCst)
    }

    /// How many different webhooks it took, and how many requests these were.
    pub fn accepted(&self) -> (u64, u64) {
        let accepted = self.shared.accepted.lock().unwrap();
        (u64::try_from(accepted.len()).unwrap(), accepted.values().sum())
    }
}

impl Drop for BadReceiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn serve(listener: TcpListener, fault: Fault, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            // Whoever is sent nonsense leaves; that is the point.
            let _ = converse(BufStream::new(stream), fault, &shared).await;
        });
    }
}

async fn converse(mut stream: BufStream<TcpStream>, fault: Fault, shared: &Shared) -> io::Result<()> {
    while let Some(id) = request(&mut stream).await? {
        if shared.is_good.load(Ordering::SeqCst) {
            *shared.accepted.lock().unwrap().entry(id).or_default() += 1;
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nOK").await?;
            stream.flush().await?;
        } else {
            shared.met.fetch_add(1, Ordering::SeqCst);
            return misbehave(stream, fault).await;
        }
    }
    Ok(())
}

/// Reads a request and gives its `webhook-id`; `None`: the connection was closed.
async fn request(stream: &mut BufStream<TcpStream>) -> io::Result<Option<String>> {
    let (mut id, mut length, mut line) = (String::new(), 0, String::new());
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.split_once(':') else {
            if line.trim().is_empty() {
                break;
            }
            continue;
        };
        match name.to_ascii_lowercase().as_str() {
            "webhook-id" => value.trim().clone_into(&mut id),
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    stream.read_exact(&mut vec![0; length]).await?;
    Ok(Some(id))
}

async fn misbehave(mut stream: BufStream<TcpStream>, fault: Fault) -> io::Result<()> {
    match fault {
        Fault::Answers500 => {
            say(&mut stream, "HTTP/1.1 500 Oh no\r\ncontent-length: 5\r\nconnection: close\r\n\r\nOh no").await
        }
        Fault::Hangs => until_it_leaves(&mut stream).await,
        Fault::Resets => stream.get_ref().set_zero_linger(),
        Fault::EndlessHeaders => {
            say(&mut stream, "HTTP/1.1 200 OK\r\n").await?;
            loop {
                say(&mut stream, &format!("x-more: {}\r\n", "m".repeat(1000))).await?;
            }
        }
        Fault::HugeBody => {
            say(&mut stream, &format!("HTTP/1.1 500 Oh no\r\ncontent-length: {TEN_GIGABYTES}\r\n\r\n")).await?;
            let piece = "z".repeat(64 * 1024);
            for _ in 0..TEN_GIGABYTES / (64 * 1024) {
                say(&mut stream, &piece).await?;
            }
            Ok(())
        }
        Fault::RedirectsInACircle => {
            let head = "HTTP/1.1 307 Round\r\nlocation: /hooks\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            say(&mut stream, head).await
        }
        Fault::AsksForPatience => {
            let head = "HTTP/1.1 429 Later\r\nretry-after: 2\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
            say(&mut stream, head).await
        }
    }
}

async fn say(stream: &mut BufStream<TcpStream>, text: &str) -> io::Result<()> {
    stream.write_all(text.as_bytes()).await?;
    stream.flush().await
}

async fn until_it_leaves(stream: &mut BufStream<TcpStream>) -> io::Result<()> {
    while stream.read(&mut [0; 64]).await? > 0 {}
    Ok(())
}
