//! Datasources of screens are fetched from where the guard lets, and never for long or without end.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    time::Duration,
};

use common::guard::Policy;
use consumer::actions::screens::datasources::{Datasources, Patience};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

const EVERY: Duration = Duration::from_hours(1);

/// Answers each request with these bytes, the last ones again and again when `endless`; counts the requests.
async fn server(answer: String, endless: bool) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (address, count) = (listener.local_addr().unwrap(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let (answer, counted) = (answer.clone(), Arc::clone(&counted));
            tokio::spawn(async move {
                // Kept open: an answer without end ends by our patience.
                while stream.read(&mut [0; 4096]).await.is_ok_and(|bytes| bytes > 0) {
                    counted.fetch_add(1, SeqCst);
                    while stream.write_all(answer.as_bytes()).await.is_ok() && endless {}
                }
            });
        }
    });
    (address, count)
}

fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len())
}

fn redirect(to: &str) -> String {
    format!("HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n")
}

fn datasources(allowed: &str, patience: Patience) -> Datasources {
    let policy = Policy { allowed: allowed.parse().unwrap(), loopback: false };
    Datasources::new(policy.into(), patience).unwrap()
}

/// What is said when the address is fetched with 127.0.0.1 allowed.
async fn fetched(url: &str) -> Result<String, String> {
    let patience = Patience { fetch: Duration::from_millis(500), ..Patience::default() };
    let value = datasources("127.0.0.1", patience).fetch(url, (EVERY, false)).await.value;
    value.map(|value| value.get().to_owned())
}

#[tokio::test]
async fn what_is_json_is_fetched_also_after_a_redirect() {
    let (at, _) = server(ok(r#"{"main": {"temp": 21}}"#), false).await;
    assert_eq!(fetched(&format!("http://{at}/")).await.unwrap(), r#"{"main": {"temp": 21}}"#);
    let (before, _) = server(redirect(&format!("http://{at}/")), false).await;
    assert_eq!(fetched(&format!("http://{before}/")).await.unwrap(), r#"{"main": {"temp": 21}}"#);
    let (around, count) = server(redirect("/again"), false).await;
    assert!(fetched(&format!("http://{around}/")).await.unwrap_err().contains("more than 3 redirects"));
    assert_eq!(count.load(SeqCst), 4);
}

#[tokio::test]
async fn private_addresses_are_refused_by_number_by_name_and_by_redirect() {
    let (at, count) = server(ok("{}"), false).await;
    let guarded = datasources("", Patience::default());
    for url in [format!("http://{at}/"), format!("http://localhost:{}/", at.port()), "http://169.254.169.254/".into()] {
        let said = guarded.fetch(&url, (EVERY, false)).await.value.unwrap_err();
        assert!(said.contains("ALLOW_TARGETS"), "{url}: {said}");
    }
    assert_eq!(count.load(SeqCst), 0, "nobody was connected to");
    for elsewhere in ["http://127.0.0.2/", "http://[::1]/", "http://192.168.0.1/"] {
        let (sends_on, _) = server(redirect(elsewhere), false).await;
        let said = fetched(&format!("http://{sends_on}/")).await.unwrap_err();
        assert!(said.contains("ALLOW_TARGETS"), "{elsewhere}: {said}");
    }
    let (sends_on, _) = server(redirect("file:///etc/passwd"), false).await;
    assert!(fetched(&format!("http://{sends_on}/")).await.unwrap_err().contains("http://"));
}

#[tokio::test]
async fn what_is_endless_slow_wrong_or_no_json_is_told() {
    for (answer, endless, said) in [
        (
            format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n400\r\n{}\r\n", " ".repeat(1024)),
            false,
            "within",
        ),
        (format!("HTTP/1.1 200 OK\r\ncontent-length: 1048576\r\n\r\n{}", " ".repeat(300_000)), false, "256 KiB"),
        ("HTTP/1.1 200 OK\r\n".into(), false, "within 500ms"),
        (ok("<html>"), false, "not JSON"),
        ("HTTP/1.1 500 Internal Server Error\r\ncontent-length: 2\r\n\r\n{}".into(), false, "answers 500"),
        ("400\r\n".into(), true, "connection"),
    ] {
        let (at, _) = server(answer.clone(), endless).await;
        let error = fetched(&format!("http://{at}/")).await.unwrap_err();
        assert!(error.contains(said), "{}: {error}", &answer[..answer.len().min(80)]);
    }
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    assert!(fetched(&format!("http://{closed}/")).await.unwrap_err().contains("nothing answers"));
}

#[tokio::test]
async fn an_address_is_fetched_once_for_everybody_and_again_when_it_has_to_be_fresh() {
    let (at, count) = server(ok("[1]"), false).await;
    let url = format!("http://{at}/");
    let patient = datasources("127.0.0.1", Patience::default());
    let ask = |fresh| patient.fetch(&url, (EVERY, fresh));
    let (one, two, three) = tokio::join!(ask(false), ask(false), ask(true));
    assert!([&one, &two, &three].iter().all(|it| it.value.as_ref().unwrap().get() == "[1]"));
    assert_eq!((one.at_ms == two.at_ms, count.load(SeqCst)), (true, 1));
    let hasty = datasources("127.0.0.1", Patience { fresh: Duration::ZERO, ..Patience::default() });
    for (fresh, fetches) in [(false, 2), (false, 2), (true, 3), (false, 3), (true, 4)] {
        hasty.fetch(&url, (EVERY, fresh)).await;
        assert_eq!(count.load(SeqCst), fetches);
    }
}
