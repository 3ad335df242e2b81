//! Certificates of accounts' endpoints: taken as they are, unless a setting asks for more.

use std::{net::SocketAddr, sync::Arc};

use rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::support::{Accounts, Database, Subscription};

/// Answers 200 with JSON under a certificate that nobody signed.
async fn unknown_authority() -> SocketAddr {
    let made = rcgen::generate_simple_self_signed(["elsewhere.example".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into());
    let config = config.with_safe_default_protocol_versions().unwrap().with_no_client_auth();
    let config = config.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(acceptor.clone(), stream));
        }
    });
    address
}

async fn answer(acceptor: TlsAcceptor, stream: TcpStream) -> std::io::Result<()> {
    let mut stream = acceptor.accept(stream).await?;
    let mut read = [0; 4096];
    let _ = stream.read(&mut read).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}").await?;
    stream.shutdown().await
}

/// How one attempt there ends: the delivery's state, and the reason.
async fn outcome(verify: bool) -> (i64, Option<String>) {
    let (database, address) = (Database::sqlite(), unknown_authority().await);
    let mut settings = Accounts::settings(&database);
    settings.verify_endpoint_tls = verify;
    let (_producer, mut accounts) = Accounts::run(&database, settings).await;
    let account = accounts.account(&format!("https://{address}/hooks")).await;
    let subscription = Subscription { once: true, ..Subscription::of(&account) };
    let id = accounts.trigger(None, "{}", &[subscription]).await.remove(0);
    let state = accounts.ended(&id).await;
    (state, accounts.text(format!("select reason from deliveries where id = '{id}'")).await)
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_taken() {
    assert_eq!(outcome(false).await, (1, None));
}

#[tokio::test]
async fn a_certificate_that_nobody_signed_is_refused_where_the_setting_asks_for_a_good_one() {
    assert_eq!(outcome(true).await, (2, Some("tls".into())));
}
