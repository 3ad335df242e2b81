//! Somebody with a real browser: a dashboard of each consumer and the producer's page are open all the time, and never reloaded.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::STAGE;
use super::checker::tally;
use crate::support::peer::Peer;
use crate::support::stack::Stack;

/// What the script presses for.
const TASKS: u64 = 10;
/// For its longest silence: a batch that was asked for while programs were away is followed to its end.
const PATIENCE: Duration = Duration::from_mins(7);
const WENT_WRONG: &str = "on a page went wrong";
/// So many of the newest rows are drawn at least, when there are as many.
const ROWS: usize = 5;

/// `consumer/tests/browser/bystander.mjs`, which presses *Produce Tasks* again whenever a batch is over.
pub struct Bystander {
    script: Peer,
}

impl Bystander {
    /// Opens the pages.
    pub async fn sits_down(stack: &Stack) -> Self {
        let pages = std::iter::once(&stack.producer).chain(stack.consumers());
        let pages: Vec<&str> = pages.map(|service| service.url.as_str()).collect();
        let mut script = Peer::node("bystander.mjs", &pages);
        assert_eq!(script.line(PATIENCE).await.as_deref(), Some("@open"));
        Self { script }
    }

    /// Lets the last batch be followed to its end, and gives what is wrong with what the page showed of each.
    pub async fn stops(&mut self) -> Vec<String> {
        let followed = self.asks("followed").await;
        let followed = followed.as_array().expect("a list of batches");
        let lines: Vec<u64> = (1..=TASKS).collect();
        let is_wrong = |batch: &&Value| batch["delivered"] != TASKS || batch["lines"] != json!(lines);
        let mut wrong: Vec<String> =
            followed.iter().filter(is_wrong).map(|batch| format!("the producer's page showed {batch}")).collect();
        wrong.extend(followed.is_empty().then(|| "no batch was followed".to_owned()));
        wrong
    }

    /// Waits until every dashboard shows the whole log, and gives what is wrong with what they show.
    pub async fn differs_from(&mut self, log: &[Value]) -> Vec<String> {
        let end = Instant::now() + STAGE;
        loop {
            let seen = self.asks("sees").await;
            let wrong: Vec<String> =
                seen.as_array().expect("a list of pages").iter().flat_map(|page| differences(page, log)).collect();
            // What went wrong on a page once does not become right.
            if wrong.is_empty() || wrong.iter().any(|wrong| wrong.starts_with(WENT_WRONG)) || Instant::now() > end {
                return wrong;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Closes the browser.
    pub async fn leaves(self) {
        self.script.succeed(PATIENCE).await;
    }

    /// Answers what it asked, and gives what it says then.
    async fn asks(&mut self, word: &str) -> Value {
        self.script.say("go on").await;
        let line = self.script.line(PATIENCE).await.expect("the browser stays open");
        let told = line.strip_prefix(&format!("@{word} ")).unwrap_or_else(|| panic!("the browser says {line}"));
        serde_json::from_str(told).unwrap()
    }
}

/// A page without cards is the producer's, which has shown its batches already.
fn differences(page: &Value, log: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    if page["problems"] != json!([]) {
        wrong.push(format!("{WENT_WRONG} {}", page["problems"]));
    }
    if page["cards"].is_null() {
        return wrong;
    }
    let mut counts: BTreeMap<String, usize> =
        tally(log).into_iter().map(|(name, count)| (name.to_lowercase(), count)).collect();
    counts.remove("head");
    if page["cards"] != json!(counts) {
        wrong.push(format!("a dashboard shows {} for {counts:?}", page["cards"]));
    }
    counts.retain(|name, count| name != "total" && *count > 0);
    if page["bars"] != json!(counts) {
        wrong.push(format!("a dashboard draws {} for {counts:?}", page["bars"]));
    }
    let newest: Vec<Value> = (1..).zip(log).map(|(offset, event)| json!([offset, event["task"]["priority"]])).collect();
    let rows = page["newest"].as_array().expect("a list of rows");
    if rows.len() < ROWS.min(log.len()) || !rows.iter().eq(newest.iter().rev().take(rows.len())) {
        let some = &rows[..rows.len().min(ROWS)];
        wrong.push(format!("the newest of {} that a dashboard lists are {}", rows.len(), json!(some)));
    }
    if page["badge"].as_str().is_none_or(|badge| !badge.contains("Live")) {
        wrong.push(format!("a dashboard says {}", page["badge"]));
    }
    wrong
}
