//! The fake source: tasks with made-up owners. The same seed gives the same tasks.

use std::{collections::HashSet, ops::RangeInclusive, str::FromStr, time::Duration};

use common::task::{Priority, Task};
use fake::{Fake, faker::name::en::Name};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde_json::Value;
use url::Url;

use crate::{
    App,
    trigger::{self, Batch, Messages},
};

/// Draws of a name before a number is added to it: a batch of any size ends.
const DRAWS: usize = 20;
const HEAVIEST: u32 = 1_000_000;

/// How often each priority is drawn, in the order of `Priority::ALL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weights([u32; 4]);

impl Default for Weights {
    fn default() -> Self {
        Self([1; 4])
    }
}

impl FromStr for Weights {
    type Err = String;

    /// Reads `4,3,2,1` (Low, Moderate, Major, Critical) or `Low=4,Critical=1` (what is not named is 0).
    fn from_str(text: &str) -> Result<Self, String> {
        let parts: Vec<&str> = text.split(',').map(str::trim).collect();
        if parts.iter().all(|part| part.contains('=')) {
            let pairs = parts.iter().filter_map(|part| part.split_once('='));
            return named(pairs.map(|(name, weight)| (name.trim(), weight.trim().parse().ok())));
        }
        listed(parts.iter().map(|part| part.parse().ok()))
    }
}

impl Weights {
    /// Reads the same from JSON: an array, an object, or one of the texts.
    pub fn from_json(value: &Value) -> Result<Self, String> {
        match value {
            Value::String(text) => text.parse(),
            Value::Array(items) => listed(items.iter().map(weight)),
            Value::Object(members) => named(members.iter().map(|(name, value)| (name.as_str(), weight(value)))),
            _ => Err(HOW.into()),
        }
    }

    fn new(weights: [u32; 4]) -> Result<Self, String> {
        if weights.iter().all(|weight| *weight == 0) {
            return Err("at least one weight must be above 0".into());
        }
        Ok(Self(weights))
    }

    fn draw(self, rng: &mut ChaCha8Rng) -> Priority {
        let mut left = rng.random_range(0..self.0.iter().sum());
        for (priority, weight) in Priority::ALL.into_iter().zip(self.0) {
            if left < weight {
                return priority;
            }
            left -= weight;
        }
        Priority::Low
    }
}

const HOW: &str =
    "write four whole numbers for Low, Moderate, Major, Critical (4,3,2,1), or name them (Low=4,Critical=1)";

fn weight(value: &Value) -> Option<u32> {
    value.as_u64().and_then(|weight| u32::try_from(weight).ok())
}

fn bounded(weight: Option<u32>) -> Result<u32, String> {
    let weight = weight.ok_or(HOW)?;
    if weight > HEAVIEST { Err(format!("a weight is at most {HEAVIEST}")) } else { Ok(weight) }
}

fn listed(weights: impl Iterator<Item = Option<u32>>) -> Result<Weights, String> {
    let weights: Vec<u32> = weights.map(bounded).collect::<Result<_, _>>()?;
    Weights::new(weights.try_into().map_err(|_| HOW)?)
}

fn named<'a>(pairs: impl Iterator<Item = (&'a str, Option<u32>)>) -> Result<Weights, String> {
    let mut weights = [0; 4];
    for (name, weight) in pairs {
        let known = Priority::ALL.iter().position(|priority| priority.as_str().eq_ignore_ascii_case(name));
        let place = known.ok_or_else(|| format!("{name:?} is no priority: {HOW}"))?;
        weights[place] = bounded(weight)?;
    }
    Weights::new(weights)
}

/// A batch that somebody asked for; every value was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    pub count: usize,
    pub wait: Duration,
    pub seed: u64,
    pub to: Url,
    pub weights: Weights,
}

/// Makes the tasks of an order up and queues them.
///
/// # Errors
/// When the database fails; nothing is queued then.
pub async fn produce(app: &App, order: Order) -> trigger::Result<Batch> {
    let batch = uuid::Uuid::new_v4().to_string();
    let (id, Order { count, wait, seed, to, weights }) = (batch.clone(), order);
    // A large batch takes a while to make up; the threads that answer requests have better things to do.
    let making = tokio::task::spawn_blocking(move || bodies(&tasks(&id, seed, count, weights)));
    let bodies = making.await.expect("making tasks up neither panics nor is cancelled");
    let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX);
    trigger::queue(app, Messages { batch, url: to.into(), kind: "task", source: "tasks", bodies, seed, wait_ms }).await
}

fn bodies(tasks: &[Task]) -> Vec<String> {
    tasks.iter().map(|task| serde_json::to_string(task).expect("a task is plain JSON")).collect()
}

/// The size of a batch that names none: drawn from the seed when one was given for this batch, else whatever chance says.
pub fn draw_count(seed: Option<u64>, range: RangeInclusive<usize>) -> usize {
    let mut rng = ChaCha8Rng::seed_from_u64(seed.unwrap_or_else(rand::random));
    // Its own stream, so that the number of tasks does not shift what is in them.
    rng.set_stream(1);
    rng.random_range(range)
}

/// The tasks of a batch: owners are unique within it, and depend on nothing but the seed and the place.
pub fn tasks(batch: &str, seed: u64, count: usize, weights: Weights) -> Vec<Task> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut taken = HashSet::with_capacity(count);
    let task = |id| Task {
        batchid: batch.to_owned(),
        id,
        owner: owner(&mut rng, &mut taken),
        priority: weights.draw(&mut rng),
    };
    (0..).take(count).map(task).collect()
}

fn owner(rng: &mut ChaCha8Rng, taken: &mut HashSet<String>) -> String {
    let mut name: String = Name().fake_with_rng(rng);
    for _ in 0..DRAWS {
        if taken.insert(name.clone()) {
            return name;
        }
        name = Name().fake_with_rng(rng);
    }
    let mut number = 2;
    while !taken.insert(format!("{name} {number}")) {
        number += 1;
    }
    format!("{name} {number}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_tasks_and_a_longer_batch_begins_with_the_shorter_one() {
        let short = tasks("b", 7, 50, Weights::default());
        let long = tasks("b", 7, 80, Weights::default());
        assert_eq!(short[..], long[..50]);
        assert_ne!(short, tasks("b", 8, 50, Weights::default()));
    }

    #[test]
    fn owners_are_unique_in_a_large_batch() {
        let tasks = tasks("b", 0, 20_000, Weights::default());
        let owners: HashSet<&str> = tasks.iter().map(|task| task.owner.as_str()).collect();
        assert_eq!(owners.len(), 20_000);
    }

    #[test]
    fn an_owner_is_found_when_every_name_is_taken() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut again = rng.clone();
        let mut taken: HashSet<String> = (0..=DRAWS).map(|_| Name().fake_with_rng(&mut again)).collect();
        let name = owner(&mut rng, &mut taken);
        assert!(name.ends_with(" 2"), "{name}");
    }

    #[test]
    fn weights_shift_the_priorities() {
        let only: Weights = "Critical=5".parse().unwrap();
        assert!(tasks("b", 0, 50, only).iter().all(|task| task.priority == Priority::Critical));
        let even = tasks("b", 0, 400, Weights::default());
        for priority in Priority::ALL {
            let drawn = even.iter().filter(|task| task.priority == priority).count();
            assert!((60..140).contains(&drawn), "{priority:?}: {drawn}");
        }
    }

    #[test]
    fn weights_are_read_from_text_and_json() {
        assert_eq!("4, 3,2,1".parse(), Ok(Weights([4, 3, 2, 1])));
        assert_eq!("low=4,Critical=1".parse(), Ok(Weights([4, 0, 0, 1])));
        assert_eq!(Weights::from_json(&serde_json::json!([4, 3, 2, 1])), Ok(Weights([4, 3, 2, 1])));
        assert_eq!(Weights::from_json(&serde_json::json!({"Low": 4})), Ok(Weights([4, 0, 0, 0])));
        for text in
            ["", "1,2,3", "1,2,3,4,5", "0,0,0,0", "a,b,c,d", "-1,1,1,1", "Huge=1", "Low=x", "Low=1,2", "9999999,1,1,1"]
        {
            assert!(text.parse::<Weights>().is_err(), "{text}");
        }
    }
}
