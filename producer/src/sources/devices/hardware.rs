//! The choice *Hardware*: a reading of every device now, sent as a batch of tasks.
//!
//! It works with nothing configured, as this machine is always read, too.

use std::{collections::HashSet, sync::PoisonError, time::Duration};

use common::task::Priority;
use serde_json::{Map, Value};
use tokio::{task::JoinSet, time::timeout};
use url::Url;

use super::{
    board::Readable,
    file::Source,
    host::Host,
    kind::{Kind, Seen},
    reading::Reading,
    rules::Rules,
    status::{Failing, Status},
    webhook::Webhook,
};
use crate::{
    App,
    receiver::HARDWARE,
    trigger::{self, Batch, Messages},
};

/// For a source that nobody is connected to just now.
const LOOK_TIMEOUT: Duration = Duration::from_secs(5);
/// What this machine is called when the file does not name it.
const MACHINE: &str = "machine";
/// This machine's values that are urgent without a threshold in the file: dev, and beyond what it is Moderate, Major, Critical.
const LIMITS: [(&str, [f64; 3]); 4] = [
    ("temp", [60.0, 75.0, 90.0]),
    ("cpu", [75.0, 90.0, 98.0]),
    ("memory", [75.0, 90.0, 98.0]),
    ("disk", [75.0, 90.0, 98.0]),
];

/// A batch of readings that somebody asked for; every value was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub wait: Duration,
    pub to: Url,
}

/// Puts the sources of the file on the board without reading them, for a program that only looks.
pub fn name(app: &App, sources: &[Source]) {
    for source in sources {
        app.devices.enter(source, "");
    }
}

/// Reads every device and queues a task for each; `None`: the masks of all sources let nothing through.
///
/// A task has the members of its reading, and beside those of every task `source`. A source or a device that cannot be read is a task with the member `error`.
///
/// # Errors
/// When the database fails; nothing is queued then.
pub async fn produce(app: &App, order: Order) -> trigger::Result<Option<Batch>> {
    let batch = uuid::Uuid::new_v4().to_string();
    let mut bodies = Tasks::new(&batch, read_all(app).await).bodies();
    bodies.truncate(app.settings.max_batch);
    if bodies.is_empty() {
        return Ok(None);
    }
    let wait_ms = i64::try_from(order.wait.as_millis()).unwrap_or(i64::MAX);
    let (url, source) = (order.to.into(), HARDWARE);
    trigger::queue(app, Messages { batch, url, kind: "reading", source, bodies, seed: 0, wait_ms }).await.map(Some)
}

/// One source, and what is seen of it.
struct Looked {
    source: Readable,
    seen: Result<Seen, String>,
}

/// All at the same time, in the order of their names.
async fn read_all(app: &App) -> Vec<Looked> {
    let mut sources = app.devices.readable();
    if !sources.iter().any(|(_, source)| matches!(source.kind, Kind::Host(_))) {
        sources.push(this_machine());
    }
    let mut looking: JoinSet<Looked> = sources.into_iter().map(|(status, source)| look(status, source)).collect();
    let mut looked = Vec::new();
    while let Some(one) = looking.join_next().await {
        match one {
            Ok(one) => looked.push(one),
            Err(error) => tracing::error!(%error, "a look at the devices broke off"),
        }
    }
    looked.sort_by(|one, other| one.source.name.cmp(&other.source.name));
    looked
}

fn this_machine() -> (Status, Readable) {
    let rules = Rules { device_mask: vec!["*".into()], ..Rules::default() };
    let (name, kind) = (MACHINE.to_owned(), Kind::Host(Host::usual()));
    let source = Source { name: name.clone(), kind, rules, webhook: Webhook { addresses: Vec::new() } };
    (Status::new(MACHINE, source.kind.name(), ""), Readable::new(&source))
}

/// What its reader knows while it is connected: some devices take one connection only. A machine's own sensors tell at once.
async fn look(status: Status, source: Readable) -> Looked {
    let is_known = status.state == "connected" && !matches!(source.kind, Kind::Host(_));
    let seen = if is_known {
        let known = source.known.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Seen { readings: known.now().cloned().collect(), failing: status.failing })
    } else {
        match timeout(LOOK_TIMEOUT, source.kind.look()).await {
            Ok(seen) => seen.map_err(|error| format!("{error:#}")),
            Err(_) => Err(format!("no answer within {LOOK_TIMEOUT:?}")),
        }
    };
    Looked { source, seen }
}

/// The tasks of one batch as they are made.
struct Tasks<'a> {
    batch: &'a str,
    looked: Vec<Looked>,
}

/// One task but for its place in the batch.
struct Told {
    owner: String,
    priority: Priority,
    members: Map<String, Value>,
}

impl<'a> Tasks<'a> {
    const fn new(batch: &'a str, looked: Vec<Looked>) -> Self {
        Self { batch, looked }
    }

    fn bodies(&self) -> Vec<String> {
        let several = self.looked.len() > 1;
        let told = self.looked.iter().flat_map(Looked::told);
        let mut taken = HashSet::new();
        let body = |(id, (source, mut told)): (usize, (&str, Told))| {
            let owner = if several { format!("{source} · {}", told.owner) } else { told.owner };
            let owner = unique(owner, id, &mut taken);
            let ours: [(&str, Value); 5] = [
                ("batchid", self.batch.into()),
                ("id", id.into()),
                ("owner", owner.into()),
                ("priority", told.priority.as_str().into()),
                ("source", source.into()),
            ];
            // All come from one source there: the devices of several of ours are told apart by their circuits.
            if several && let Some(Value::String(circuit)) = told.members.get_mut("circuit") {
                *circuit = format!("{source}/{circuit}");
            }
            told.members.extend(ours.map(|(name, value)| (name.to_owned(), value)));
            Value::Object(told.members).to_string()
        };
        told.enumerate().map(body).collect()
    }
}

/// Two devices may have the same name.
fn unique(owner: String, id: usize, taken: &mut HashSet<String>) -> String {
    if taken.insert(owner.clone()) {
        return owner;
    }
    let owner = format!("{owner} ({id})");
    taken.insert(owner.clone());
    owner
}

impl Looked {
    /// Everything there is to tell of the source.
    fn told(&self) -> Vec<(&str, Told)> {
        let told = match &self.seen {
            Ok(seen) => {
                let wanted = seen.readings.iter().filter(|reading| self.source.rules.wants(reading));
                let readings = wanted.map(|reading| reading_told(&self.source, reading));
                readings.chain(seen.failing.iter().map(failing_told)).collect()
            }
            Err(error) => vec![failing_told(&Failing { device: self.source.name.clone(), error: error.clone() })],
        };
        told.into_iter().map(|told| (self.source.name.as_str(), told)).collect()
    }
}

fn reading_told(source: &Readable, reading: &Reading) -> Told {
    let members: Map<String, Value> = serde_json::from_str(&reading.object).unwrap_or_default();
    let named = ["alias", "name"].iter().find_map(|name| members.get(*name)?.as_str().filter(|name| !name.is_empty()));
    let owner = named.map_or_else(|| format!("{} {}", reading.dev, reading.circuit), str::to_owned);
    Told { owner, priority: priority(source, reading), members }
}

fn failing_told(failing: &Failing) -> Told {
    let members = Map::from_iter([("error".to_owned(), Value::from(failing.error.as_str()))]);
    Told { owner: failing.device.clone(), priority: Priority::Major, members }
}

/// By the source's thresholds; else by this machine's limits. What is no number is Moderate, everything else Low.
fn priority(source: &Readable, reading: &Reading) -> Priority {
    if let Some(priority) = source.rules.priority(reading) {
        return priority;
    }
    let limits = LIMITS.iter().find(|(dev, _)| matches!(source.kind, Kind::Host(_)) && *dev == reading.dev);
    match (reading.number(), limits) {
        (Some(value), Some((_, limits))) => {
            let beyond = limits.iter().filter(|limit| value > **limit).count();
            Priority::ALL[beyond]
        }
        (None, _) if ["NaN", "Infinity", "-Infinity"].iter().any(|word| reading.value == *word) => Priority::Moderate,
        _ => Priority::Low,
    }
}

#[cfg(test)]
mod tests {
    use common::task::Task;

    use super::*;
    use crate::sources::devices::rules::Threshold;

    fn looked(name: &str, thresholds: Vec<Threshold>, seen: Result<&[&str], &str>) -> Looked {
        let (_, mut source) = this_machine();
        source.name = name.to_owned();
        source.rules.thresholds = thresholds;
        let readings = |objects: &[&str]| objects.iter().map(|object| Reading::of(object).unwrap()).collect();
        let seen = seen.map(|objects| Seen { readings: readings(objects), failing: Vec::new() });
        Looked { source, seen: seen.map_err(str::to_owned) }
    }

    #[test]
    fn every_reading_is_a_task_and_so_is_what_cannot_be_read() {
        let above = |above| Threshold {
            dev: "ai".into(),
            circuit: "*".into(),
            above: Some(above),
            below: None,
            priority: Priority::Critical,
        };
        let machine = [
            r#"{"dev": "temp", "circuit": "cpu", "value": 91}"#,
            r#"{"dev": "disk", "circuit": "/", "value": 80.5}"#,
            r#"{"dev": "load", "circuit": "1min", "value": 99}"#,
        ];
        let boiler = [
            r#"{"dev": "ai", "circuit": "1_01", "value": 9.5, "id": 7, "priority": "Low", "alias": "al_flow"}"#,
            r#"{"dev": "ai", "circuit": "1_02", "value": "NaN", "name": "Flow", "batchid": 1}"#,
            r#"{"dev": "ai", "circuit": "1_03", "value": null, "name": "Flow"}"#,
        ];
        let all = vec![
            looked("boiler", vec![above(9.0)], Ok(&boiler)),
            looked("machine", Vec::new(), Ok(&machine)),
            looked("roof", Vec::new(), Err("no route")),
        ];
        let bodies = Tasks::new("b", all).bodies();
        let tasks: Vec<Task> = bodies.iter().map(|body| serde_json::from_str(body).unwrap()).collect();
        let told: Vec<(u64, &str, &str)> =
            tasks.iter().map(|task| (task.id, task.owner.as_str(), task.priority.as_str())).collect();
        assert_eq!(
            told,
            [
                (0, "boiler · al_flow", "Critical"),
                (1, "boiler · Flow", "Moderate"),
                (2, "boiler · Flow (2)", "Low"),
                (3, "machine · temp cpu", "Critical"),
                (4, "machine · disk /", "Moderate"),
                (5, "machine · load 1min", "Low"),
                (6, "roof · roof", "Major"),
            ]
        );
        let last: Value = serde_json::from_str(&bodies[6]).unwrap();
        assert_eq!((&last["error"], &last["batchid"]), (&"no route".into(), &"b".into()));
        let first: Value = serde_json::from_str(&bodies[0]).unwrap();
        assert_eq!(
            (&first["circuit"], &first["value"], &first["source"]),
            (&"boiler/1_01".into(), &9.5.into(), &"boiler".into())
        );
        let alone = Tasks::new("b", vec![looked("machine", Vec::new(), Ok(&machine[..1]))]).bodies();
        assert!(alone[0].contains(r#""circuit":"cpu""#) && alone[0].contains(r#""owner":"temp cpu""#), "{alone:?}");
    }
}
