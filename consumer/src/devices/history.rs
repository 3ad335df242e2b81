//! How a device's value went: from its readings, thinned so that no spike is lost.

use serde::Deserialize;
use serde_json::value::RawValue;

/// Stretches of time that a long history is divided into; each keeps its lowest and its highest value, and that there was none.
const STRETCHES: i64 = 200;
/// More points than this are thinned.
const MAX_POINTS: usize = 600;

/// A reading that is kept, cut to what a course of values needs: bodies are large, and there are many.
#[derive(Clone, Debug)]
pub struct Past {
    pub device: i64,
    pub offset: i64,
    pub at_ms: i64,
    /// When it last came again.
    pub repeated_ms: Option<i64>,
    /// The number it says; `None`: it says none.
    pub value: Option<f64>,
}

/// A value at a time; `None`: the device said something that is not a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    pub at_ms: i64,
    pub value: Option<f64>,
}

/// The number in an event's member `value`; a truth value is 0 or 1.
#[must_use]
pub fn number(body: &str) -> Option<f64> {
    #[derive(Deserialize)]
    struct Probe<'a> {
        #[serde(borrow)]
        value: Option<&'a RawValue>,
    }
    number_of(serde_json::from_str::<Probe>(body).ok()?.value?.get())
}

/// The number that a JSON value is; a truth value is 0 or 1.
#[must_use]
pub fn number_of(json: &str) -> Option<f64> {
    match json {
        "true" => Some(1.0),
        "false" => Some(0.0),
        _ => json.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

/// The points of readings, which come newest first; oldest first, from `from_ms` on.
///
/// A value holds for as long as it was repeated. What held at `from_ms` is the first point, there.
#[must_use]
pub fn points(newest_first: &[Past], from_ms: i64) -> Vec<Point> {
    let mut points = Vec::with_capacity(newest_first.len() * 2);
    let mut next_ms = i64::MAX;
    for past in newest_first {
        let value = past.value;
        let held_ms = past.repeated_ms.unwrap_or(past.at_ms).min(next_ms);
        if held_ms > past.at_ms.max(from_ms) {
            points.push(Point { at_ms: held_ms, value });
        }
        points.push(Point { at_ms: past.at_ms.max(from_ms), value });
        if past.at_ms <= from_ms {
            break;
        }
        next_ms = past.at_ms;
    }
    points.reverse();
    points
}

/// At most 600 points, in their order: each stretch of time keeps its lowest and its highest, and one that is no number.
#[must_use]
pub fn thinned(points: Vec<Point>) -> Vec<Point> {
    let (Some(first), Some(last)) = (points.first().copied(), points.last().copied()) else { return points };
    if points.len() <= MAX_POINTS {
        return points;
    }
    let length_ms = (last.at_ms - first.at_ms).max(1);
    let stretch = |point: &Point| (point.at_ms - first.at_ms).saturating_mul(STRETCHES) / (length_ms + 1);
    points.chunk_by(|left, right| stretch(left) == stretch(right)).flat_map(extremes).collect()
}

/// The lowest, the highest, and the first that is no number, in their order.
fn extremes(points: &[Point]) -> Vec<Point> {
    let numbers = || points.iter().enumerate().filter_map(|(place, point)| Some((place, point.value?)));
    let lowest = numbers().min_by(|left, right| left.1.total_cmp(&right.1)).map(|(place, _)| place);
    let highest = numbers().max_by(|left, right| left.1.total_cmp(&right.1)).map(|(place, _)| place);
    let none = points.iter().position(|point| point.value.is_none());
    let mut places: Vec<usize> = [lowest, highest, none].into_iter().flatten().collect();
    places.sort_unstable();
    places.dedup();
    places.into_iter().map(|place| points[place]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past(at_ms: i64, repeated_ms: Option<i64>, value: &str) -> Past {
        let body = format!(r#"{{"dev":"ai","circuit":"1","value":{value}}}"#);
        Past { device: 1, offset: at_ms, at_ms, repeated_ms, value: number(&body) }
    }

    fn told(points: &[Point]) -> Vec<(i64, Option<i64>)> {
        #[expect(clippy::cast_possible_truncation, reason = "small whole numbers")]
        points.iter().map(|point| (point.at_ms, point.value.map(|value| value as i64))).collect()
    }

    #[test]
    fn a_value_holds_while_it_is_repeated_and_what_held_before_the_window_opens_it() {
        let readings =
            [past(900, Some(950), "3"), past(500, Some(2000), "\"NaN\""), past(100, None, "1"), past(50, None, "9")];
        let all = [(50, Some(9)), (100, Some(1)), (500, None), (900, None), (900, Some(3)), (950, Some(3))];
        assert_eq!(told(&points(&readings, 0)), all);
        assert_eq!(
            told(&points(&readings, 300)),
            [(300, Some(1)), (500, None), (900, None), (900, Some(3)), (950, Some(3))]
        );
        assert_eq!(told(&points(&readings, 925)), [(925, Some(3)), (950, Some(3))]);
        assert_eq!(told(&points(&readings, 5000)), [(5000, Some(3))]);
        assert!(points(&[], 0).is_empty());
    }

    #[test]
    fn a_spike_and_a_gap_survive_the_thinning() {
        let mut long: Vec<Point> = (0..10_000).map(|at_ms| Point { at_ms, value: Some(1.0) }).collect();
        long[5003].value = Some(99.0);
        long[7007].value = Some(-99.0);
        long[9001].value = None;
        let thin = thinned(long.clone());
        assert!(thin.len() <= MAX_POINTS, "{}", thin.len());
        assert!(thin.is_sorted_by_key(|point| point.at_ms));
        for place in [5003, 7007, 9001] {
            assert!(thin.contains(&long[place]), "{place}");
        }
        assert_eq!(thinned(long[..600].to_vec()), long[..600]);
    }

    #[test]
    fn a_truth_value_is_a_number_and_a_text_is_none() {
        for (json, expected) in
            [("1.5", Some(1.5)), ("true", Some(1.0)), ("\"NaN\"", None), ("null", None), ("-3", Some(-3.0))]
        {
            assert_eq!(number(&format!(r#"{{"value": {json}}}"#)), expected, "{json}");
        }
        assert_eq!((number("{}"), number("7")), (None, None));
    }
}
