//! What every rendered page needs: how numbers and times are written (`static/ts/format.ts` writes the same), and the answer it is sent in.

use std::{convert::Infallible, time::Duration};

use askama::Template;
use axum::{
    http::{HeaderName, HeaderValue, header},
    response::{
        Html, IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::Stream;

use crate::{problem::Problem, time::rfc3339};

const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// A time as a page shows it: how long ago, with the absolute UTC behind it.
#[derive(Clone, Debug)]
pub struct Stamp {
    pub iso: String,
    pub absolute: String,
    pub relative: String,
}

impl Stamp {
    #[must_use]
    pub fn of(at_ms: i64, now_ms: i64) -> Self {
        let iso = rfc3339(at_ms);
        let absolute = format!("{} {} UTC", &iso[..10], &iso[11..19]);
        Self { iso, absolute, relative: ago(now_ms - at_ms) }
    }
}

/// The page as an answer; a template that fails is a 500.
pub fn render(page: &impl Template) -> Response {
    match page.render() {
        // A page that is shown again says what is true by then.
        Ok(text) => ([(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"))], Html(text)).into_response(),
        Err(error) => Problem::internal(&error).into_response(),
    }
}

/// Server-sent events as an answer, with a sign of life every 15 s; no proxy is to hold them back.
pub fn stream<S>(events: S) -> Response
where
    S: Stream<Item = Result<Event, Infallible>> + Send + 'static,
{
    let events = Sse::new(events).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE));
    let unbuffered = (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    ([unbuffered], events).into_response()
}

/// `1,060`.
#[must_use]
pub fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 task`, `2,000 tasks`, `3 deliveries`.
#[must_use]
pub fn plural(count: i64, one: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one.to_owned() } else { many(one) })
}

fn many(one: &str) -> String {
    // A key and its keys, a delivery and its deliveries.
    let stem = one.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'o', 'u']));
    stem.map_or_else(|| format!("{one}s"), |stem| format!("{stem}ies"))
}

/// `38.9 %`; of nothing it is 0.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a share to one decimal")]
pub fn percent(part: i64, whole: i64) -> String {
    if part <= 0 || whole <= 0 {
        return "0 %".into();
    }
    if part == whole {
        return "100 %".into();
    }
    format!("{:.1} %", part as f64 * 100.0 / whole as f64)
}

/// One decimal below 100, whole and grouped above.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "a rate is far below 2^52")]
pub fn rate(per_second: f64) -> String {
    if per_second >= 100.0 {
        return grouped(per_second.round() as i64);
    }
    let text = format!("{per_second:.1}");
    text.strip_suffix(".0").map_or(text.clone(), str::to_owned)
}

/// `132 B`, `2.0 KiB`.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "a size to one decimal")]
pub fn bytes(size: usize) -> String {
    match size {
        0..1024 => format!("{size} B"),
        1024..1_048_576 => format!("{:.1} KiB", size as f64 / 1024.0),
        _ => format!("{:.1} MiB", size as f64 / 1_048_576.0),
    }
}

/// A length of time in its two largest units: `4 s`, `3 min 20 s`, `2 h 5 min`.
#[must_use]
pub fn duration(seconds: i64) -> String {
    const UNITS: [(i64, &str); 4] = [(86_400, "d"), (3600, "h"), (60, "min"), (1, "s")];
    let Some(first) = UNITS.iter().position(|(size, _)| seconds >= *size) else { return "0 s".into() };
    let (size, name) = UNITS[first];
    let text = format!("{} {name}", seconds / size);
    match UNITS.get(first + 1) {
        Some((small, name)) if seconds % size / small > 0 => format!("{text} {} {name}", seconds % size / small),
        _ => text,
    }
}

/// How long something took: `420 ms`, `1.1 s`, and from ten seconds on as a duration.
#[must_use]
pub fn took(elapsed_ms: i64) -> String {
    match elapsed_ms {
        ..1000 => format!("{} ms", elapsed_ms.max(1)),
        1000..10_000 => format!("{}.{} s", elapsed_ms / 1000, elapsed_ms % 1000 / 100),
        _ => duration(elapsed_ms / 1000),
    }
}

/// `0.4 s ago`, `12 s ago`, `4 min ago`; what lies ahead is written as if it were now.
#[must_use]
pub fn ago(elapsed_ms: i64) -> String {
    let seconds = elapsed_ms.max(0) / 1000;
    match seconds {
        0 => format!("0.{} s ago", (elapsed_ms / 100).clamp(1, 9)),
        1..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_shares_are_never_nan() {
        assert_eq!([0, 7, 1060, -12_345, 1_000_000].map(grouped), ["0", "7", "1,060", "-12,345", "1,000,000"]);
        assert_eq!([percent(0, 0), percent(1, 3), percent(5, 5)], ["0 %", "33.3 %", "100 %"]);
        assert_eq!([rate(0.0), rate(24.62), rate(2000.4)], ["0", "24.6", "2,000"]);
        assert_eq!([plural(1, "task"), plural(2000, "task")], ["1 task", "2,000 tasks"]);
        assert_eq!(
            [plural(1, "delivery"), plural(0, "delivery"), plural(2, "key")],
            ["1 delivery", "0 deliveries", "2 keys"]
        );
        assert_eq!([bytes(12), bytes(2048), bytes(3 << 20)], ["12 B", "2.0 KiB", "3.0 MiB"]);
    }

    #[test]
    fn times_are_written_in_their_largest_units() {
        assert_eq!([0, 4, 60, 200, 7500].map(duration), ["0 s", "4 s", "1 min", "3 min 20 s", "2 h 5 min"]);
        assert_eq!([42, 1120, 18_400].map(took), ["42 ms", "1.1 s", "18 s"]);
        assert_eq!(
            [-5, 420, 2000, 240_000, 7_200_000].map(ago),
            ["0.1 s ago", "0.4 s ago", "2 s ago", "4 min ago", "2 h ago"]
        );
        assert_eq!(Stamp::of(0, 5000).absolute, "1970-01-01 00:00:00 UTC");
    }
}
