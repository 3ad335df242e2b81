//! The course of a value as a line that the server draws: small in a row, and as a chart until a script has drawn its own.

use common::page::duration;

use crate::{
    devices::history::{Past, Point},
    readings::figure,
};

/// The place of a line in its picture, in units of the view box.
#[derive(Clone, Copy)]
struct Frame {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

const SPARK: Frame = Frame { left: 2.0, right: 118.0, top: 3.0, bottom: 19.0 };
const CHART: Frame = Frame { left: 66.0, right: 936.0, top: 14.0, bottom: 218.0 };

/// The newest readings of a device, each as far from the next.
pub struct Spark {
    /// A line for each stretch of numbers; between them was what is none.
    pub pieces: Vec<String>,
    pub words: String,
}

impl Spark {
    /// Of readings that come newest first; `None` when none of them is a number.
    pub fn of(newest_first: &[Past], is_digital: bool) -> Option<Self> {
        let values: Vec<Option<f64>> = newest_first.iter().rev().map(|past| past.value).collect();
        let (low, high) = span(values.iter().copied().flatten())?;
        // What stands until the next one comes takes a space of its own; so does what is alone.
        let holds = is_digital || values.len() == 1;
        let spaces = float(values.len() - usize::from(!holds));
        let mut places: Vec<(f64, Option<f64>)> =
            values.iter().enumerate().map(|(place, value)| (float(place) / spaces, *value)).collect();
        if let Some((_, last)) = places.last().copied().filter(|_| holds) {
            places.push((1.0, last));
        }
        let words = match newest_first.len() {
            1 => format!("one reading: {}", figure(high)),
            all if low.total_cmp(&high).is_eq() => format!("the last {all} readings: {}", figure(low)),
            all => format!("the last {all} readings: {} to {}", figure(low), figure(high)),
        };
        Some(Self { pieces: pieces(&places, (low, high), SPARK, is_digital), words })
    }
}

pub struct Tick {
    pub y: String,
    pub text_y: String,
    pub label: String,
}

pub struct Label {
    pub x: String,
    pub anchor: &'static str,
    pub text: String,
}

/// A history as a chart.
pub struct Chart {
    pub pieces: Vec<String>,
    pub ticks: Vec<Tick>,
    pub labels: Vec<Label>,
}

impl Chart {
    /// Of points within these times, oldest first; `None` when none of them is a number.
    pub fn of(points: &[Point], (from_ms, to_ms): (i64, i64), is_digital: bool) -> Option<Self> {
        let (low, high) = span(points.iter().filter_map(|point| point.value))?;
        let (scale, step) = axis(low, high, is_digital);
        let length_ms = (to_ms - from_ms).max(1);
        let share = |at_ms: i64| fraction(at_ms - from_ms, length_ms);
        let places: Vec<_> = points.iter().map(|point| (share(point.at_ms), point.value)).collect();
        let mut ticks = Vec::new();
        let mut at = scale.0;
        while at <= scale.1 + step / 2.0 && ticks.len() < 12 {
            let y = CHART.y(at, scale);
            ticks.push(Tick { y: unit(y), text_y: unit(y + 4.0), label: figure((at / step).round() * step) });
            at += step;
        }
        Some(Self { pieces: pieces(&places, scale, CHART, is_digital), ticks, labels: labels(length_ms) })
    }
}

/// How long ago, at the beginning, at thirds, and at the end.
fn labels(length_ms: i64) -> Vec<Label> {
    let label = |third: i64| {
        let x = CHART.left + (CHART.right - CHART.left) * fraction(third, 3);
        let anchor = if third == 3 { "end" } else { "middle" };
        let text = match third {
            3 => "now".to_owned(),
            _ => format!("−{}", duration(length_ms * (3 - third) / 3000)),
        };
        Label { x: unit(x), anchor, text }
    };
    (0..=3).map(label).collect()
}

/// From where to where an axis goes, and in which steps: 1, 2 or 5 of some power of ten.
fn axis(low: f64, high: f64, is_digital: bool) -> ((f64, f64), f64) {
    if is_digital && low >= 0.0 && high <= 1.0 {
        return ((0.0, 1.0), 1.0);
    }
    let width = if high > low { high - low } else { low.abs().max(1.0) };
    let power = 10_f64.powf((width / 5.0).log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].map(|factor| factor * power).into_iter().find(|step| width / step <= 5.0);
    let step = step.unwrap_or(width);
    let (first, last) = ((low / step).floor() * step, (high / step).ceil() * step);
    if last > first { ((first, last), step) } else { ((first - step, last + step), step) }
}

impl Frame {
    fn y(self, value: f64, (low, high): (f64, f64)) -> f64 {
        let share = if high > low { (value - low) / (high - low) } else { 0.5 };
        self.bottom - (self.bottom - self.top) * share
    }
}

/// The points of each stretch of numbers. Of a device with two states a value stands until the next one comes.
fn pieces(places: &[(f64, Option<f64>)], scale: (f64, f64), frame: Frame, is_step: bool) -> Vec<String> {
    let stretches = places.split(|(_, value)| value.is_none()).filter(|stretch| !stretch.is_empty());
    let drawn = stretches.map(|stretch| {
        let mut line = Vec::with_capacity(stretch.len());
        let mut before: Option<f64> = None;
        for (x, value) in stretch.iter().filter_map(|(x, value)| Some((x, (*value)?))) {
            let x = frame.left + (frame.right - frame.left) * x.clamp(0.0, 1.0);
            let y = frame.y(value, scale);
            if let Some(before) = before.filter(|_| is_step) {
                line.push(format!("{},{}", unit(x), unit(before)));
            }
            line.push(format!("{},{}", unit(x), unit(y)));
            before = Some(y);
        }
        // A lone point has a length, or nobody sees it.
        if let [(x, Some(value))] = stretch {
            let x = frame.left + (frame.right - frame.left) * x.clamp(0.0, 1.0);
            line.push(format!("{},{}", unit(x + 1.5), unit(frame.y(*value, scale))));
        }
        line.join(" ")
    });
    drawn.collect()
}

fn span(values: impl Iterator<Item = f64>) -> Option<(f64, f64)> {
    values.fold(None, |span, value| {
        let (low, high) = span.unwrap_or((value, value));
        Some((value.min(low), value.max(high)))
    })
}

fn unit(value: f64) -> String {
    format!("{value:.1}")
}

#[expect(clippy::cast_precision_loss, reason = "a picture is not that precise")]
fn float(count: usize) -> f64 {
    count as f64
}

#[expect(clippy::cast_precision_loss, reason = "a picture is not that precise")]
fn fraction(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::devices::history::number;

    fn past(value: &str) -> Past {
        Past { device: 1, offset: 1, at_ms: 1, repeated_ms: None, value: number(&format!(r#"{{"value":{value}}}"#)) }
    }

    #[test]
    fn a_small_line_goes_from_the_oldest_at_the_left_to_the_newest_and_breaks_where_there_is_no_number() {
        let spark = Spark::of(&[past("4"), past("\"NaN\""), past("0"), past("2")], false).unwrap();
        assert_eq!(spark.pieces, ["2.0,11.0 40.7,19.0", "118.0,3.0 119.5,3.0"]);
        assert_eq!(spark.words, "the last 4 readings: 0 to 4");
        assert!(Spark::of(&[past("null")], false).is_none() && Spark::of(&[], false).is_none());
        assert_eq!(Spark::of(&[past("7")], false).unwrap().pieces, ["2.0,11.0 118.0,11.0"]);
    }

    #[test]
    fn what_has_two_states_goes_in_steps() {
        let spark = Spark::of(&[past("1"), past("0")], true).unwrap();
        assert_eq!(spark.pieces, ["2.0,19.0 60.0,19.0 60.0,3.0 118.0,3.0 118.0,3.0"]);
    }

    #[test]
    fn an_axis_has_round_steps_around_what_it_shows() {
        for (low, high, expected) in [
            (0.0, 10.0, ((0.0, 10.0), 2.0)),
            (47.05, 47.05, ((40.0, 50.0), 10.0)),
            (0.0, 0.0, ((-0.2, 0.2), 0.2)),
            (-3.0, 21.0, ((-5.0, 25.0), 5.0)),
        ] {
            assert_eq!(axis(low, high, false), expected, "{low} {high}");
        }
        assert_eq!(axis(1.0, 1.0, true), ((0.0, 1.0), 1.0));
    }
}
