//! Paging by `start` and `limit`, as `PyWebhooks` reads them and answers.

use axum::{
    http::{HeaderValue, StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::value::RawValue;

use super::wire::{self, Refusal};
use crate::store::accounts::Slice;

const MOST: i64 = 100;
const LAST_START: i64 = 999_999_999_999_999;

/// Reads `start` (0 to 999999999999999) and `limit` (1 to 100); both must be there, and of several the first counts.
///
/// # Errors
/// 400.
pub fn read(uri: &Uri) -> Result<Slice, Refusal> {
    let number = |name: &str| {
        let mut pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        pairs.find(|(key, _)| key == name).and_then(|(_, value)| python_int(&value))
    };
    let slice = number("start").zip(number("limit")).map(|(start, limit)| Slice { start, limit });
    slice
        .filter(|slice| (0..=LAST_START).contains(&slice.start) && (1..=MOST).contains(&slice.limit))
        .ok_or_else(|| Refusal::bad("Invalid limit or start parameter"))
}

/// As Python's `int()`: blanks around it, a sign, single underscores between digits.
fn python_int(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let is_good = digits.split('_').all(|part| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit()));
    if !is_good {
        return None;
    }
    let value: i64 = digits.replace('_', "").parse().ok()?;
    Some(if text.starts_with('-') { -value } else { value })
}

/// `{name: records}` with `next_start` after a full page; 204 when there are none.
pub fn page<T: Serialize>(name: &str, records: &[T], slice: Slice) -> Response {
    if records.is_empty() {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        return (StatusCode::NO_CONTENT, [(header::CONTENT_TYPE, html)]).into_response();
    }
    let is_full = i64::try_from(records.len()).is_ok_and(|count| count == slice.limit);
    let records = serde_json::value::to_raw_value(records).expect("records are plain JSON");
    let mut body = std::collections::BTreeMap::from([(name, records)]);
    if is_full {
        let next = RawValue::from_string((slice.start + slice.limit).to_string()).expect("a number is JSON");
        body.insert("next_start", next);
    }
    wire::json(StatusCode::OK, &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_python_reads_them() {
        for (text, expected) in [
            ("0", Some(0)),
            (" 0 ", Some(0)),
            ("+2", Some(2)),
            ("1_0", Some(10)),
            ("-1", Some(-1)),
            ("007", Some(7)),
            ("", None),
            ("a", None),
            ("1.5", None),
            ("_1", None),
            ("1__0", None),
            ("+-1", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(python_int(text), expected, "{text}");
        }
    }

    #[test]
    fn the_first_of_several_counts() {
        let slice = read(&Uri::from_static("/v1/accounts?start=0&limit=2&limit=1")).unwrap();
        assert_eq!(slice, Slice { start: 0, limit: 2 });
        for query in ["", "?start=0", "?limit=1", "?start=0&limit=101", "?start=1000000000000000&limit=1"] {
            assert!(read(&format!("/v1/accounts{query}").parse().unwrap()).is_err(), "{query}");
        }
    }
}
