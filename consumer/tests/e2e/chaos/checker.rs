//! The checker: what was accepted, against the log, the counts, the deliveries, the sockets, the pages, the memory and the logs of the programs.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::Value;

use super::STAGE;
use super::accounts::Accounts;
use super::audience::{Audience, Kind, Watcher, differs_from_the_log, task_key};
use super::bystander::Bystander;
use super::load::Sent;
use crate::support::stack::{Service, Stack};
use crate::support::{eventually, http};

/// What a trial expects beside what every trial does.
pub struct Expected<'a> {
    /// Each of these programs says these words in its log, at least once.
    pub said: &'a [(&'static str, &'a str)],
    /// The most warnings and errors that one fault leaves in the log of one program.
    pub lines: usize,
    /// The most memory that one program may have used.
    pub memory_mib: u64,
}

impl Default for Expected<'_> {
    fn default() -> Self {
        Self { said: &[], lines: 4, memory_mib: 256 }
    }
}

/// What came out.
#[derive(Default)]
pub struct Verdict {
    /// Events that the log has, and webhooks and tasks that were accepted.
    pub stored: usize,
    pub accepted: usize,
    pub lost: usize,
    /// In the log or on a socket.
    pub twice: usize,
    pub refused: usize,
    /// The most warnings and errors of one program.
    pub lines: usize,
    pub peak_mib: u64,
    /// Everything that is not as it should be.
    pub wrong: Vec<String>,
}

/// Who saw what became of it.
pub struct Witnesses<'a> {
    pub audience: &'a Audience,
    pub bystander: &'a mut Bystander,
    pub accounts: &'a Accounts,
}

/// Waits until everything has come to an end, and compares.
pub async fn check(
    stack: &Stack,
    sent: &Sent,
    witnesses: Witnesses<'_>,
    (faults, expected): (usize, &Expected<'_>),
) -> Verdict {
    let Witnesses { audience, bystander, accounts } = witnesses;
    let followed = bystander.stops().await;
    nothing_waits(stack).await;
    let mut verdict = Verdict { refused: sent.refused, wrong: followed, ..Verdict::default() };
    if !sent.unclear.is_empty() {
        let some: Vec<_> = sent.unclear.iter().take(3).collect();
        verdict.wrong.push(format!("{} answers were unclear, such as {some:?}", sent.unclear.len()));
    }
    let log = whole_log(stack).await;
    check_log(&mut verdict, &log, sent);
    check_deliveries(&mut verdict, stack, &log, sent).await;
    for consumer in stack.consumers() {
        check_counts(&mut verdict, stack, consumer, &log).await;
    }
    check_audience(&mut verdict, audience, &log).await;
    verdict.wrong.extend(bystander.differs_from(&log).await);
    check_accounts(&mut verdict, stack, accounts, sent).await;
    for service in stack.consumers().chain(stack.producers()) {
        check_program(&mut verdict, service, (faults, expected));
    }
    verdict
}

/// No delivery waits any more: each has come to its end by itself.
async fn nothing_waits(stack: &Stack) {
    let url = format!("{}/api/deliveries?state=waiting&limit=1", stack.producer.url);
    eventually("nothing waits to be delivered", STAGE, async || {
        let told = http::try_json(&stack.client, &url).await?;
        told["deliveries"].as_array()?.is_empty().then_some(())
    })
    .await;
}

async fn whole_log(stack: &Stack) -> Vec<Value> {
    let mut events = Vec::new();
    loop {
        let since = events.last().map_or(0, |event: &Value| event["offset"].as_u64().unwrap());
        let url = format!("{}/api/events?since={since}&limit=1000", stack.consumer.url);
        let page = http::json(&stack.client, &url).await["events"].take();
        let page = page.as_array().expect("a list of events");
        if page.is_empty() {
            return events;
        }
        events.extend_from_slice(page);
    }
}

/// Offsets 1 to N without a hole, each id once, and every webhook that was accepted.
fn check_log(verdict: &mut Verdict, log: &[Value], sent: &Sent) {
    let offsets = log.iter().map(|event| event["offset"].as_u64().unwrap());
    if let Some((place, offset)) = (1..).zip(offsets).find(|(place, offset)| place != offset) {
        verdict.wrong.push(format!("the log has {offset} where {place} should be"));
    }
    let ids: BTreeSet<&str> = log.iter().filter_map(|event| event["id"].as_str()).collect();
    let lost: Vec<_> = sent.webhooks.iter().filter(|id| !ids.contains(id.as_str())).collect();
    let tasks: BTreeSet<String> = log.iter().map(|event| task_key(&event["task"])).collect();
    verdict.stored = log.len();
    verdict.twice = log.len() - ids.len().min(tasks.len());
    verdict.lost = lost.len();
    verdict.accepted = sent.webhooks.len();
    if verdict.twice > 0 {
        verdict.wrong.push(format!("{} events are in the log a second time", verdict.twice));
    }
    if !lost.is_empty() {
        verdict.wrong.push(format!("accepted and lost: {} webhooks, such as {:?}", lost.len(), lost[0]));
    }
}

/// Every batch of which the log knows or that was accepted: each task in the log once, each delivered once, and all attempts recorded.
async fn check_deliveries(verdict: &mut Verdict, stack: &Stack, log: &[Value], sent: &Sent) {
    let mut batches: BTreeMap<&str, BTreeSet<u64>> =
        sent.batches.iter().map(|(id, _)| (id.as_str(), BTreeSet::new())).collect();
    for event in log.iter().filter(|event| !event["id"].as_str().is_some_and(|id| sent.webhooks.contains(id))) {
        let (Some(batch), Some(id)) = (event["task"]["batchid"].as_str(), event["task"]["id"].as_u64()) else {
            verdict.wrong.push(format!("nobody sent {event}"));
            continue;
        };
        batches.entry(batch).or_default().insert(id);
    }
    for (batch, tasks) in batches {
        let url = format!("{}/api/batches/{batch}", stack.producer.url);
        let Some(told) = http::try_json(&stack.client, &url).await else {
            verdict.wrong.push(format!("the producer knows no batch {batch}"));
            continue;
        };
        let total = told["total"].as_u64().unwrap();
        verdict.accepted += usize::try_from(total).unwrap();
        let missing = (0..total).filter(|id| !tasks.contains(id)).count();
        verdict.lost += missing;
        if missing > 0 || told["state"] != "done" || told["delivered"] != total {
            verdict.wrong.push(format!("{missing} tasks are not in the log of {told}"));
        }
        check_attempts(verdict, stack, batch, total).await;
    }
}

/// The batch's event log has each place once, and for each task a line that says delivered.
async fn check_attempts(verdict: &mut Verdict, stack: &Stack, batch: &str, total: u64) {
    let (mut delivered, mut last) = (BTreeSet::<String>::new(), 0);
    loop {
        let url = format!("{}/api/batches/{batch}/lines?after={last}&limit=1000", stack.producer.url);
        let page = http::json(&stack.client, &url).await["lines"].take();
        let Some(lines) = page.as_array().filter(|lines| !lines.is_empty()) else { break };
        for line in lines {
            let seq = line["seq"].as_u64().unwrap();
            if seq != last + 1 {
                verdict.wrong.push(format!("after attempt {last} of {batch} comes {seq}"));
            }
            last = seq;
            if line["outcome"] == "delivered" {
                delivered.insert(line["n"].to_string());
            }
        }
    }
    if u64::try_from(delivered.len()).unwrap() != total {
        verdict.wrong.push(format!("{} of the {total} deliveries of {batch} have their attempt", delivered.len()));
    }
}

async fn check_counts(verdict: &mut Verdict, stack: &Stack, consumer: &Service, log: &[Value]) {
    let counts = http::json(&stack.client, &format!("{}/api/counts", consumer.url)).await;
    for (name, expected) in tally(log) {
        if counts[name] != expected {
            verdict.wrong.push(format!("{name} of {counts} should be {expected}"));
        }
    }
}

/// What should be counted of the log, by the names of `/api/counts`.
pub fn tally(log: &[Value]) -> BTreeMap<&str, usize> {
    let mut tally = BTreeMap::from(["Low", "Moderate", "Major", "Critical", "other"].map(|name| (name, 0)));
    for event in log {
        *tally.entry(event["task"]["priority"].as_str().unwrap_or("other")).or_default() += 1;
    }
    tally.extend([("total", log.len()), ("head", log.len())]);
    tally
}

async fn check_audience(verdict: &mut Verdict, audience: &Audience, log: &[Value]) {
    let head = u64::try_from(log.len()).unwrap();
    audience.has_reached(head, STAGE).await;
    let offsets: HashMap<String, u64> =
        (1..).zip(log).map(|(offset, event)| (task_key(&event["task"]), offset)).collect();
    for watcher in audience.watchers() {
        let wrong = watcher.seen(|seen| {
            verdict.twice += seen.twice;
            let mut wrong = seen.disordered.clone();
            wrong.extend((seen.twice > 0).then(|| format!("{} came a second time", seen.twice)));
            let told = (watcher.kind == Kind::Dashboard && seen.total != Some(head)).then_some(seen.total);
            wrong.extend(told.map(|total| format!("the last frame tells {total:?} of {head}")));
            wrong.extend(seen.connections.iter().filter_map(|seen| differs_from_the_log(seen, &offsets)));
            wrong
        });
        let Watcher { kind, url, .. } = watcher;
        verdict.wrong.extend(wrong.into_iter().take(5).map(|wrong| format!("{kind:?} of {url}: {wrong}")));
    }
}

/// Every event that an account triggered, at everybody who is subscribed to it.
async fn check_accounts(verdict: &mut Verdict, stack: &Stack, accounts: &Accounts, sent: &Sent) {
    let differences = accounts.differences(stack, sent.events).await;
    verdict.accepted += usize::try_from(sent.events).unwrap();
    verdict.lost += differences.lost;
    verdict.twice += differences.twice;
    verdict.wrong.extend(differences.wrong);
}

/// Its memory, and what it said of the faults.
fn check_program(verdict: &mut Verdict, service: &Service, (faults, expected): (usize, &Expected<'_>)) {
    let (name, peak_mib) = (service.process.name(), service.process.peak_kib() / 1024);
    verdict.peak_mib = verdict.peak_mib.max(peak_mib);
    if peak_mib > expected.memory_mib {
        verdict.wrong.push(format!("the {name} used {peak_mib} MiB"));
    }
    let said = service.process.said();
    let loud: Vec<&str> =
        said.lines().filter(|line| [" WARN ", "ERROR "].iter().any(|level| line.contains(level))).collect();
    verdict.lines = verdict.lines.max(loud.len());
    if loud.len() > expected.lines * faults {
        let some: Vec<_> = loud.iter().take(12).collect();
        verdict.wrong.push(format!("the {name} left {} lines of {faults} faults, such as {some:#?}", loud.len()));
    }
    let unsaid = expected.said.iter().filter(|(who, words)| *who == name && !said.contains(words));
    verdict.wrong.extend(unsaid.map(|(_, words)| format!("the {name} never said {words:?}")));
}
