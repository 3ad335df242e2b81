//! The charts as the server draws them, for browsers without scripts and until the scripts have drawn theirs.

use common::page::grouped;

use super::row::LOOKS;
use crate::store::counts::Tally;

/// The axis, in units of the view box.
const TOP: f64 = 30.0;
const BOTTOM: f64 = 210.0;

pub struct Tick {
    pub y: String,
    pub text_y: String,
    pub label: String,
}

pub struct Bar {
    pub class: &'static str,
    pub label: String,
    pub number: String,
    pub x: String,
    pub y: String,
    pub width: String,
    pub height: String,
    pub middle: String,
    pub value_y: String,
}

/// One bar per priority.
pub struct Matrix {
    pub ticks: Vec<Tick>,
    pub bars: Vec<Bar>,
}

pub struct Area {
    pub class: &'static str,
    pub points: String,
}

pub struct Label {
    pub x: &'static str,
    pub text: &'static str,
}

/// The last quarter of an hour, stacked by priority.
pub struct Rates {
    pub ticks: Vec<Tick>,
    pub areas: Vec<Area>,
    pub labels: [Label; 4],
}

/// `other` has a bar only when there is such an event.
pub fn matrix(tally: Tally) -> Matrix {
    let (left, right) = (46.0, 455.0);
    let bars = if tally[4] > 0 { 5 } else { 4 };
    let highest = tally.iter().copied().max().unwrap_or(0);
    let top = ceiling(float(highest));
    let slot = (right - left) / if bars == 5 { 5.0 } else { 4.0 };
    let mut x = left;
    let mut bar = |(look, count): (&super::row::Look, i64)| {
        let middle = x + slot / 2.0;
        x += slot;
        let height = (BOTTOM - TOP) * float(count) / top;
        Bar {
            class: look.class,
            label: format!("{} {}", look.symbol, look.word),
            number: grouped(count),
            x: unit(middle - slot * 0.34),
            y: unit(BOTTOM - height),
            width: unit(slot * 0.68),
            height: unit(height),
            middle: unit(middle),
            value_y: unit(BOTTOM - height - 7.0),
        }
    };
    Matrix { ticks: ticks(top), bars: LOOKS.iter().zip(tally).take(bars).map(&mut bar).collect() }
}

/// `steps` are counts of so many `seconds` each, oldest first.
pub fn rates(steps: &[Tally], seconds: i64) -> Rates {
    let per_second = |count: i64| float(count) / float(seconds);
    let highest = steps.iter().map(|tally| per_second(tally.iter().sum())).fold(0.0, f64::max);
    let top = ceiling(highest.max(4.0));
    let mut below = vec![0; steps.len()];
    let mut areas = Vec::new();
    // From the bottom of the stack: what matters most rests on the axis.
    for rank in [3, 2, 1, 0, 4] {
        let floor = below.clone();
        below.iter_mut().zip(steps).for_each(|(sum, tally)| *sum += tally[rank]);
        if below != floor {
            let edge = |sums: &[i64]| sums.iter().map(|sum| per_second(*sum) / top).collect::<Vec<_>>();
            areas.push(Area { class: LOOKS[rank].class, points: points(&edge(&below), &edge(&floor)) });
        }
    }
    let labels = [("38", "−15 min"), ("237", "−10 min"), ("437", "−5 min"), ("618", "now")];
    Rates { ticks: ticks(top), areas, labels: labels.map(|(x, text)| Label { x, text }) }
}

/// The outline of an area: along its upper edge, and back along the lower one. Heights are shares of the axis.
fn points(upper: &[f64], lower: &[f64]) -> String {
    let (left, right) = (38.0, 636.0);
    let spaces = float(i64::try_from(upper.len()).unwrap_or(2) - 1).max(1.0);
    let edge = |shares: &[f64]| {
        let mut x = left;
        let place = |share: &f64| {
            let point = format!("{},{}", unit(x), unit(BOTTOM - (BOTTOM - TOP) * share));
            x += (right - left) / spaces;
            point
        };
        shares.iter().map(place).collect::<Vec<_>>()
    };
    let mut outline = edge(upper);
    outline.extend(edge(lower).into_iter().rev());
    outline.join(" ")
}

/// Five lines from 0 to the top, with whole numbers at them.
fn ticks(top: f64) -> Vec<Tick> {
    (0..=4)
        .map(|place| {
            let share = f64::from(place) / 4.0;
            let y = BOTTOM - (BOTTOM - TOP) * share;
            Tick { y: unit(y), text_y: unit(y + 4.0), label: grouped(whole(top * share)) }
        })
        .collect()
}

/// The next number that four equal whole steps lead to: 4, 8, 20, 40, 80, 200 …
fn ceiling(highest: f64) -> f64 {
    let mut size = 1.0;
    loop {
        for factor in [4.0, 8.0, 20.0] {
            if highest <= factor * size {
                return factor * size;
            }
        }
        size *= 10.0;
    }
}

fn unit(value: f64) -> String {
    format!("{value:.1}")
}

#[expect(clippy::cast_precision_loss, reason = "a chart is not that precise")]
fn float(count: i64) -> f64 {
    count as f64
}

#[expect(clippy::cast_possible_truncation, reason = "counts are far below 2^52")]
fn whole(value: f64) -> i64 {
    value.round() as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_axis_ends_at_a_number_that_four_whole_steps_lead_to() {
        let cases = [(0.0, 4.0), (3.0, 4.0), (5.0, 8.0), (9.0, 20.0), (21.0, 40.0), (412.0, 800.0)];
        for (highest, expected) in cases {
            assert!((ceiling(highest) - expected).abs() < 0.1, "{highest}");
        }
        assert_eq!(ticks(8.0).iter().map(|tick| tick.label.as_str()).collect::<Vec<_>>(), ["0", "2", "4", "6", "8"]);
    }

    #[test]
    fn a_bar_for_other_appears_with_the_first_such_event() {
        assert_eq!(matrix([1, 2, 3, 4, 0]).bars.len(), 4);
        assert_eq!(matrix([1, 2, 3, 4, 5]).bars.len(), 5);
    }

    #[test]
    fn an_area_is_drawn_for_each_priority_that_came() {
        let rates = rates(&[[1, 0, 0, 0, 0], [2, 0, 0, 3, 0]], 10);
        assert_eq!(rates.areas.iter().map(|area| area.class).collect::<Vec<_>>(), ["critical", "low"]);
        assert_eq!(rates.areas[0].points.split(' ').count(), 4);
    }
}
