//! A batch as a panel and as a row, and its lines.

use common::page::{self, Stamp, duration, grouped, plural, rate};

use super::{short, verdict};
use crate::{
    progress::{Batch, Line},
    receiver::HARDWARE,
    store::batches,
};

/// A part of the bar, in thousandths of its width.
pub struct Segment {
    pub name: &'static str,
    pub x: String,
    pub width: String,
}

/// One number under the bar.
pub struct Count {
    pub name: &'static str,
    pub class: &'static str,
    pub shown: bool,
    pub text: String,
}

/// The panel of one batch; with an empty id it stands ready, hidden, for the first one.
pub struct Panel {
    pub id: String,
    pub href: String,
    pub name: String,
    pub pace: String,
    pub percent: i64,
    pub segments: Vec<Segment>,
    pub counts: Vec<Count>,
    pub running: bool,
    pub can_retry: bool,
    pub retry_label: String,
}

impl Panel {
    pub fn of(stored: Option<&batches::Batch>, now_ms: i64) -> Self {
        let nothing = batches::Batch {
            id: String::new(),
            created_ms: now_ms,
            ended_ms: None,
            cancelled_ms: None,
            url: String::new(),
            source: "tasks".into(),
            seed: 0,
            wait_ms: 0,
            total: 0,
            delivered: 0,
            failed: 0,
            retrying: 0,
            cancelled: 0,
            seq: 0,
        };
        let stored = stored.unwrap_or(&nothing);
        let batch = Batch::of(stored, now_ms);
        let retry_label = match batch.failed {
            0 => format!("Retry {} now", grouped(batch.retrying)),
            failed => format!("Retry {} failed", grouped(failed)),
        };
        Self {
            href: format!("/batches/{}", batch.id),
            name: format!("Batch {} · {}", short(&batch.id), plural(batch.total, noun(&batch))),
            pace: pace(stored, &batch),
            percent: done(&batch),
            segments: segments(&batch),
            counts: counts(&batch),
            running: !batch.ended(),
            can_retry: batch.failed + batch.retrying > 0,
            retry_label,
            id: batch.id,
        }
    }

    pub fn title(&self) -> String {
        format!("{} % · Batch {} · Hookcast", self.percent, short(&self.id))
    }
}

/// What a batch consists of.
fn noun(batch: &Batch) -> &'static str {
    if batch.source == HARDWARE { "reading" } else { "task" }
}

/// Percent of the tasks that were sent to their end, rounded down: 100 only when nothing is left and nothing was cancelled.
fn done(batch: &Batch) -> i64 {
    ((batch.total - batch.pending - batch.cancelled) * 100).checked_div(batch.total).unwrap_or(100)
}

fn took(stored: &batches::Batch) -> Option<String> {
    Some(page::took(stored.ended_ms? - stored.created_ms))
}

fn pace(stored: &batches::Batch, batch: &Batch) -> String {
    let rate = format!("{} / s", rate(batch.rate));
    match (took(stored), batch.state, batch.eta_s) {
        (Some(time), "cancelled", _) => format!("cancelled after {time} · {rate}"),
        (Some(time), ..) => format!("took {time} · {rate}"),
        (None, _, Some(left)) => format!("{rate} · {} left", duration(left)),
        (None, _, None) => rate,
    }
}

fn segments(batch: &Batch) -> Vec<Segment> {
    let mut x = 0;
    let parts = [("delivered", batch.delivered), ("retrying", batch.retrying), ("failed", batch.failed)];
    let segment = |(name, count): (&'static str, i64)| {
        let width = (count * 1000).checked_div(batch.total).unwrap_or(0);
        x += width;
        Segment { name, x: (x - width).to_string(), width: width.to_string() }
    };
    parts.into_iter().map(segment).collect()
}

fn counts(batch: &Batch) -> Vec<Count> {
    let count = |name, class, number: i64, word: &str| Count {
        name,
        class,
        shown: number > 0 || name == "delivered",
        text: format!("{} {word}", grouped(number)),
    };
    vec![
        Count { name: "percent", class: "", shown: true, text: format!("{} %", done(batch)) },
        count("delivered", "", batch.delivered, "delivered"),
        count("retrying", "amber", batch.retrying, "will be retried"),
        count("failed", "red", batch.failed, "failed"),
        count("waiting", "", batch.pending - batch.retrying, "waiting"),
        count("cancelled", "", batch.cancelled, "cancelled"),
    ]
}

/// A batch in a list.
pub struct BatchRow {
    pub href: String,
    pub at: Stamp,
    pub class: &'static str,
    pub symbol: &'static str,
    pub word: String,
    pub summary: String,
    /// What it was made of.
    pub from: String,
    pub short: String,
}

impl BatchRow {
    pub fn of(stored: &batches::Batch, now_ms: i64) -> Self {
        let batch = Batch::of(stored, now_ms);
        let (class, symbol, word) = match (batch.state, batch.failed) {
            ("running", _) if batch.retrying > 0 && batch.retrying == batch.pending => {
                ("major", "↻", "Retrying".into())
            }
            ("running", _) => ("moderate", "◌", "Running".into()),
            (_, failed) if failed > 0 => ("critical", "✕", format!("{} failed", grouped(failed))),
            ("cancelled", _) => ("other", "⊘", "Cancelled".into()),
            _ => ("low", "✓", "Delivered".into()),
        };
        let (tasks, delivered) = (plural(batch.total, noun(&batch)), grouped(batch.delivered));
        let summary = match took(stored) {
            None if batch.retrying > 0 => {
                format!("{tasks} · {delivered} delivered · {} will be retried", grouped(batch.retrying))
            }
            None => format!("{tasks} · {delivered} delivered · {} / s", rate(batch.rate)),
            Some(_) if batch.delivered < batch.total => format!("{tasks} · {delivered} delivered"),
            Some(time) => format!("{tasks} in {time}"),
        };
        Self {
            href: format!("/batches/{}", batch.id),
            at: Stamp::of(stored.created_ms, now_ms),
            class,
            symbol,
            word,
            summary,
            from: if batch.source == HARDWARE { "hardware".into() } else { format!("seed {}", batch.seed) },
            short: short(&batch.id),
        }
    }
}

/// A task's newest attempt, for browsers without scripts.
pub struct LineRow {
    pub n: String,
    pub class: &'static str,
    pub verdict: String,
    pub href: String,
    pub who: String,
    pub why: String,
    pub took: String,
}

impl LineRow {
    pub fn of(line: &Line) -> Self {
        let delivered = line.outcome == "delivered";
        let class = match line.outcome.as_str() {
            "delivered" => "blue",
            "retrying" => "amber",
            _ => "red",
        };
        let mut verdict = verdict(line.status, line.reason.as_deref());
        if line.outcome == "retrying" {
            verdict += " · will be retried";
        }
        let attempt = format!(" · {} of {}", line.attempt, line.attempts_max);
        Self {
            n: format!("{} out of {}", grouped(line.n), grouped(line.total)),
            class,
            verdict,
            href: format!("/deliveries/{}", line.delivery),
            who: match line.priority {
                Some(priority) => format!("{}, {}", line.owner, priority.as_str()),
                None => "message".into(),
            },
            why: line.text.as_deref().filter(|_| !delivered).map_or_else(String::new, |text| format!(" — {text}")),
            took: format!(
                "{} ms{}",
                grouped(line.duration_ms),
                if delivered && line.attempt == 1 { "" } else { &attempt }
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored() -> batches::Batch {
        batches::Batch {
            id: "3b55d1aa".into(),
            created_ms: 0,
            ended_ms: None,
            cancelled_ms: None,
            url: String::new(),
            source: "tasks".into(),
            seed: 0,
            wait_ms: 0,
            total: 98,
            delivered: 57,
            failed: 1,
            retrying: 2,
            cancelled: 0,
            seq: 60,
        }
    }

    #[test]
    fn a_panel_says_how_far_the_batch_is() {
        let panel = Panel::of(Some(&stored()), 4600);
        let shown: Vec<&str> =
            panel.counts.iter().filter(|count| count.shown).map(|count| count.text.as_str()).collect();
        assert_eq!(shown, ["59 %", "57 delivered", "2 will be retried", "1 failed", "38 waiting"]);
        assert_eq!(panel.segments.iter().map(|part| part.x.as_str()).collect::<Vec<_>>(), ["0", "581", "601"]);
        assert_eq!((panel.pace.as_str(), panel.retry_label.as_str()), ("12.4 / s · 4 s left", "Retry 1 failed"));
    }

    #[test]
    fn a_batch_that_is_over_says_how_long_it_took() {
        let ended = batches::Batch { ended_ms: Some(1100), delivered: 98, failed: 0, retrying: 0, ..stored() };
        assert_eq!(Panel::of(Some(&ended), 9000).pace, "took 1.1 s · 89.1 / s");
        let row = BatchRow::of(&ended, 9000);
        assert_eq!((row.word.as_str(), row.summary.as_str()), ("Delivered", "98 tasks in 1.1 s"));
        assert_eq!(BatchRow::of(&batches::Batch { failed: 3, ..ended }, 9000).word, "3 failed");
    }
}
