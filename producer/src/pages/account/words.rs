//! How stored JSON texts, counts and presets of time are written on the accounts' pages.

use common::{page::grouped, problem::Problem};

use crate::{service::Refused, store::offers::PAGE};

/// The text behind a JSON text, or the JSON itself when it is no text.
pub fn plain(json: &str) -> String {
    serde_json::from_str(json).unwrap_or_else(|_| json.to_owned())
}

/// `12`, or `1,000+` when not all were counted.
pub fn counted(count: i64, most: i64) -> String {
    if count > most { format!("{}+", grouped(most)) } else { grouped(count) }
}

/// The problem that tells a refusal; `Refused::Missing` is 404.
pub fn problem(refused: Refused) -> Problem {
    match refused {
        Refused::Bad(text) => Problem::bad_request(sentence(&text)),
        Refused::Missing(text) => Problem::new(axum::http::StatusCode::NOT_FOUND, sentence(text)),
        Refused::Conflict(text) => Problem::conflict(sentence(text)),
        Refused::Database(error) => error.into(),
    }
}

/// The words of a refusal that a form shows beside what was typed; a failing database is no matter of the form.
pub fn wrong(refused: Refused) -> Result<String, Problem> {
    match refused {
        Refused::Bad(text) => Ok(sentence(&text)),
        Refused::Missing(text) | Refused::Conflict(text) => Ok(sentence(text)),
        Refused::Database(error) => Err(error.into()),
    }
}

fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?']) { text.to_owned() } else { format!("{text}.") }
}

/// Milliseconds of a day.
pub const DAY_MS: i64 = 24 * 3_600_000;
/// Spans of time that lists are limited to.
pub const SPANS: [(&str, &str); 4] =
    [("", "Any time"), ("1h", "Last hour"), ("24h", "Last 24 hours"), ("7d", "Last 7 days")];

/// Where the span begins; `None`: it has no beginning.
pub fn since_ms(span: &str, now_ms: i64) -> Option<i64> {
    const HOUR_MS: i64 = 3_600_000;
    let hours = match span {
        "1h" => 1,
        "24h" => 24,
        "7d" => 7 * 24,
        _ => return None,
    };
    Some(now_ms - hours * HOUR_MS)
}

/// The links to the pages before and after the one at `start`; what is too much is taken off `rows`.
pub struct Pager {
    pub newer: Option<String>,
    pub older: Option<String>,
}

impl Pager {
    pub fn of<T>(rows: &mut Vec<T>, start: i64, href: impl Fn(i64) -> String) -> Self {
        let fits = usize::try_from(PAGE).unwrap_or(usize::MAX);
        let more = rows.len() > fits;
        rows.truncate(fits);
        Self { newer: (start > 0).then(|| href((start - PAGE).max(0))), older: more.then(|| href(start + PAGE)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_shown_as_texts_and_other_json_as_it_is() {
        assert_eq!([plain("\"zo\\u00eb\""), plain("5"), plain("[1]")], ["zoë", "5", "[1]"]);
        assert_eq!([counted(12, 1000), counted(1001, 1000)], ["12", "1,000+"]);
    }

    #[test]
    fn a_pager_leads_to_what_there_is() {
        let mut rows: Vec<i64> = (0..=PAGE).collect();
        let pager = Pager::of(&mut rows, 0, |start| start.to_string());
        assert_eq!((pager.newer, pager.older, rows.len()), (None, Some("50".into()), 50));
        let last = Pager::of(&mut vec![1], 50, |start| start.to_string());
        assert_eq!((last.newer, last.older), (Some("0".into()), None));
    }
}
