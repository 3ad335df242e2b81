//! Why there was no answer, in a word for programs and in words for people.

use std::{
    io::{self, ErrorKind},
    time::Duration,
};

use common::guard::{Denied, cause};
use url::Url;

use super::answer::{Answer, Meaning};
use crate::config::words;

/// What an error means; `timeout` is how long the attempt could take, `start` what to do when nothing listens.
pub fn explain(url: &Url, error: &reqwest::Error, (timeout, start): (Duration, &str)) -> Answer {
    let place = place(url);
    if let Some(why) = cause::<Denied>(error) {
        return denied(why);
    }
    if let Some(tls) = cause::<rustls::Error>(error) {
        let detail = format!("no secure connection to {place}: {tls}. Check the receiver's certificate");
        return Answer::failed(Meaning::Later, "tls", detail);
    }
    if error.is_timeout() {
        let detail = if error.is_connect() {
            format!("no connection to {place} within {}. Is the address right?", words(connect_timeout(timeout)))
        } else {
            too_late(timeout)
        };
        return Answer::failed(Meaning::Later, "timeout", detail);
    }
    if cause::<hyper::Error>(error).is_some_and(hyper::Error::is_parse) {
        let detail = format!("{place} answered with what is not HTTP, or with more headers than are taken");
        return Answer::failed(Meaning::Later, "malformed", detail);
    }
    match (cause::<io::Error>(error).map(io::Error::kind), error.is_connect()) {
        (Some(ErrorKind::ConnectionRefused), _) => {
            let detail = format!("nothing listens on {place}. {start}");
            Answer::failed(Meaning::Unreachable, "refused", detail)
        }
        (kind, true) => {
            let why = kind.map_or_else(|| "no connection".to_owned(), |kind| kind.to_string());
            Answer::failed(Meaning::Unreachable, "unreachable", format!("{place} cannot be reached: {why}"))
        }
        (_, false) => {
            let detail = format!("{place} ended the connection without an answer. Did the receiver restart?");
            Answer::failed(Meaning::Later, "disconnected", detail)
        }
    }
}

/// That nothing came in time.
pub fn too_late(timeout: Duration) -> String {
    format!("no answer within {}. Is the receiver overloaded?", words(timeout))
}

/// A part of the time that an attempt may take.
pub fn connect_timeout(timeout: Duration) -> Duration {
    timeout.min(Duration::from_secs(5))
}

/// What is not even tried.
pub fn denied(why: &Denied) -> Answer {
    let (meaning, reason) = match why {
        Denied::Blocked { .. } | Denied::NotHttp | Denied::Credentials => (Meaning::Never, "blocked"),
        Denied::NoSuchName { .. } => (Meaning::Unreachable, "dns"),
    };
    Answer::failed(meaning, reason, why.to_string())
}

/// `localhost:5001` of `http://localhost:5001/consumetasks`.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port_or_known_default().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
