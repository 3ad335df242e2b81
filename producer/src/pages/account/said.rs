//! What a page confirms after a form: the redirect names it, so that showing the page again repeats nothing.

use axum::{
    http::Uri,
    response::{IntoResponse, Redirect, Response},
};
use common::page::plural;

/// Leads to the page, which says what was done; `count` is for the words.
pub fn after(path: &str, code: &str, count: i64) -> Response {
    let joint = if path.contains('?') { '&' } else { '?' };
    Redirect::to(&format!("{path}{joint}said={code}&n={count}")).into_response()
}

/// The words for what the query names; nothing else of it is shown.
pub fn read(uri: &Uri) -> Option<String> {
    let get = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    };
    let count = get("n").and_then(|count| count.parse().ok()).unwrap_or(0);
    words(&get("said")?, count)
}

fn words(code: &str, count: i64) -> Option<String> {
    let events = || plural(count, "event");
    Some(match code {
        "registered" => "Registered. Who subscribes is sent what you trigger.".into(),
        "described" => "Saved.".into(),
        "deleted" => "Deleted.".into(),
        "triggered" if count == 0 => {
            "Triggered. Nobody is subscribed whose filter lets it through, so nothing is sent.".into()
        }
        "triggered" => {
            format!("Triggered: {} on the way.", plural(count, "delivery"))
        }
        "subscribed" => "Subscribed. Its events go to your endpoint.".into(),
        "unsubscribed" => "Unsubscribed. What is on its way is still sent.".into(),
        "options" => "Options saved. They hold from the next attempt on.".into(),
        "recovered" => format!("{} in the queue again.", events()),
        "retried" => "In the queue again; the attempt is made at once.".into(),
        "cancelled" => "Cancelled. It is not sent again.".into(),
        "moved" => "Endpoint moved. Failures are counted from 0 again.".into(),
        "enabled" => format!("Endpoint enabled. {} released.", events()),
        "operational" => "Saved. You are told there when your endpoint is disabled.".into(),
        "untold" => "Saved. You are told nowhere.".into(),
        "replaced" => "New secret key. The old one signs nothing any more.".into(),
        "rotated" => "New secret key. The old one signs beside it until it expires.".into(),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_ours_are_shown() {
        let said = |uri: &'static str| read(&Uri::from_static(uri));
        assert_eq!(said("/account?said=enabled&n=1200").unwrap(), "Endpoint enabled. 1,200 events released.");
        assert_eq!(said("/account?said=triggered&n=1").unwrap(), "Triggered: 1 delivery on the way.");
        assert_eq!(said("/account?said=%3Cb%3E"), None);
        assert_eq!(said("/account"), None);
    }
}
