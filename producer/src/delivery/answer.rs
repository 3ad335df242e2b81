//! What an answer means: for the schedule, for the endpoint's pace, and in words.

use std::time::Duration;

use common::time::now_ms;
use http::{StatusCode, header};

use super::{retry, sign};

/// How much of an answer is kept.
pub const KEPT_BYTES: usize = 4096;
/// How much more is read so that the connection can be used again; an answer that is longer costs its connection.
const DRAINED_BYTES: usize = 64 * 1024;

/// What an answer asks us to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    Delivered,
    /// Try again on schedule.
    Later,
    /// Try again on schedule, and be gentler with the endpoint.
    Busy,
    /// Try again on schedule; the endpoint could not be reached at all.
    Unreachable,
    /// Never send anything there again.
    Gone,
    /// Do not try again: it would end the same way.
    Never,
}

/// What an attempt came to.
#[derive(Clone, Debug)]
pub struct Answer {
    pub meaning: Meaning,
    pub status: Option<u16>,
    pub reason: Option<&'static str>,
    pub detail: Option<String>,
    pub response: Option<String>,
    pub retry_after: Option<Duration>,
    /// JSON arrays of pairs; kept for subscriptions.
    pub request_headers: Option<String>,
    pub response_headers: Option<String>,
}

impl Answer {
    pub fn failed(meaning: Meaning, reason: &'static str, detail: impl Into<String>) -> Self {
        Self {
            meaning,
            status: None,
            reason: Some(reason),
            detail: Some(detail.into()),
            response: None,
            retry_after: None,
            request_headers: None,
            response_headers: None,
        }
    }

    /// For what is not sent because its endpoint answered 410 before.
    pub fn stopped() -> Self {
        let detail = "not sent: the receiver answered 410 Gone and wants nothing more. Retry to send to it again";
        Self::failed(Meaning::Never, "stopped", detail)
    }

    /// For what is not sent because its batch was cancelled.
    pub fn cancelled() -> Self {
        Self::failed(Meaning::Never, "cancelled", "not sent again: its batch was cancelled. Retry to send it")
    }
}

/// Reads as much of the answer as is kept, and says what it means.
pub async fn read(mut response: reqwest::Response) -> Answer {
    let status = response.status();
    let asked = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
    let retry_after = asked.and_then(|value| retry::retry_after(value, now_ms()));
    let headers = sign::kept(response.headers());
    let location =
        response.headers().get(header::LOCATION).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let body = beginning(&mut response).await;
    let (meaning, reason, detail) = interpret(status, retry_after, location.as_deref());
    let (status, response) = (Some(status.as_u16()), text(&body));
    let response_headers = Some(headers);
    Answer { meaning, status, reason, detail, response, retry_after, request_headers: None, response_headers }
}

/// Reads the answer's body as far as it is kept or cheaply drained; an error in it changes nothing, the status has been said.
async fn beginning(response: &mut reqwest::Response) -> Vec<u8> {
    let mut kept = Vec::new();
    let mut read = 0;
    while let Ok(Some(chunk)) = response.chunk().await {
        let room = KEPT_BYTES - kept.len();
        kept.extend_from_slice(&chunk[..chunk.len().min(room)]);
        read += chunk.len();
        if read > KEPT_BYTES + DRAINED_BYTES {
            break;
        }
    }
    kept
}

/// As text, without the NUL that PostgreSQL does not store.
pub fn text(body: &[u8]) -> Option<String> {
    (!body.is_empty()).then(|| String::from_utf8_lossy(body).replace('\0', "\u{fffd}"))
}

/// What a status means; `None` for success needs no words.
fn interpret(
    status: StatusCode,
    retry_after: Option<Duration>,
    location: Option<&str>,
) -> (Meaning, Option<&'static str>, Option<String>) {
    let code = status.as_u16();
    let name = status.canonical_reason().unwrap_or("an unknown status");
    let later = |meaning, reason, detail| (meaning, Some(reason), Some(detail));
    match code {
        200..=299 => (Meaning::Delivered, None, None),
        300..=399 => {
            let to = location.map_or_else(String::new, |to| format!(" to {}", shortened(to)));
            later(
                Meaning::Later,
                "redirect",
                format!("the receiver redirects{to}. Webhooks do not follow: send to that address instead"),
            )
        }
        410 => later(
            Meaning::Gone,
            "gone",
            "410 Gone: the receiver wants nothing more. Nothing is sent there until you retry".into(),
        ),
        429 | 502 | 504 => {
            later(Meaning::Busy, "busy", format!("{code} {name}: the receiver is busy; it is sent to more slowly"))
        }
        503 if retry_after.is_some() => {
            let seconds = retry_after.unwrap_or_default().as_secs();
            later(Meaning::Busy, "busy", format!("503 {name}: the receiver asked for {seconds} s of patience"))
        }
        500..=599 => later(Meaning::Later, "status", format!("{code} {name}: the receiver failed. Look into its log")),
        401 | 403 => later(
            Meaning::Later,
            "status",
            format!("{code} {name}: the receiver asks for a key. Check WEBHOOK_SECRET and the address"),
        ),
        404 => {
            later(Meaning::Later, "status", format!("{code} {name}: the receiver has no such path. Check the address"))
        }
        _ => later(Meaning::Later, "status", format!("{code} {name}: the receiver did not accept it")),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_mean_what_the_schedule_and_the_pace_need() {
        use Meaning::{Busy, Delivered, Gone, Later};
        let cases = [
            (200, None, Delivered),
            (202, None, Delivered),
            (204, None, Delivered),
            (301, None, Later),
            (400, None, Later),
            (404, None, Later),
            (410, None, Gone),
            (429, None, Busy),
            (500, None, Later),
            (502, None, Busy),
            (503, None, Later),
            (503, Some(3), Busy),
            (504, None, Busy),
        ];
        for (code, retry_after_s, expected) in cases {
            let status = StatusCode::from_u16(code).unwrap();
            let (meaning, reason, detail) =
                interpret(status, retry_after_s.map(Duration::from_secs), Some("https://elsewhere.example/"));
            assert_eq!(meaning, expected, "{code}");
            assert_eq!(meaning == Delivered, reason.is_none() && detail.is_none(), "{code}");
        }
    }

    #[test]
    fn what_is_kept_of_an_answer_can_be_stored() {
        assert_eq!(text(b""), None);
        assert_eq!(text(b"a\0b\xff").as_deref(), Some("a\u{fffd}b\u{fffd}"));
    }
}
