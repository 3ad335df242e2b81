//! What nobody may do, whoever tries: pages of other origins, foreign hosts, addresses and headers with more in them, and bodies that are bombs.

mod bombs;
mod foreign;
mod frames;
mod paths;
mod secrets;

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::matrix::doors::DOORS;

/// Every route, as method and path, with something in its places.
fn routes(place: &str) -> Vec<(&'static str, String)> {
    let all = DOORS.iter().flat_map(|(_, routes)| routes.iter().copied());
    let whole = |route: &'static str| {
        let (method, path) = route.split_once(' ').unwrap();
        let names = ["{id}", "{name}", "{source}", "{code}", "{token}", "{file}"];
        (method, names.iter().fold(path.to_owned(), |path, name| path.replace(name, place)))
    };
    all.map(whole).collect()
}

/// The answer to a request whose path is sent as it stands, which HTTP libraries would put in order first.
async fn raw(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/html\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}
