//! All sources of this process: how each is doing, and what its devices say.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::{changes::Changes, file::Source, kind::Kind, rules::Rules, status::Status};

/// What is known of a source's devices; its reader changes it, and whoever wants to know looks.
pub type Known = Arc<Mutex<Changes>>;

/// The sources by name.
#[derive(Default)]
pub struct Board(Mutex<BTreeMap<String, Entry>>);

struct Entry {
    status: Status,
    source: Readable,
}

/// What it takes to read a source now.
#[derive(Clone)]
pub struct Readable {
    pub name: String,
    pub kind: Kind,
    pub rules: Rules,
    pub known: Known,
}

impl Readable {
    pub fn new(source: &Source) -> Self {
        let Source { name, kind, rules, .. } = source.clone();
        let known = Arc::new(Mutex::new(Changes::new(rules.clone())));
        Self { name, kind, rules, known }
    }
}

impl Board {
    /// A source that is about to be read; gives where its reader keeps what it knows. `registration` is empty when nothing can be subscribed to.
    pub fn enter(&self, source: &Source, registration: &str) -> Known {
        let status = Status::new(&source.name, source.kind.name(), registration);
        let source = Readable::new(source);
        let known = Arc::clone(&source.known);
        self.sources().insert(source.name.clone(), Entry { status, source });
        known
    }

    /// Changes one source's status; does nothing, and gives the default, when there is no such source.
    pub fn change<T: Default>(&self, source: &str, change: impl FnOnce(&mut Status) -> T) -> T {
        self.sources().get_mut(source).map(|entry| change(&mut entry.status)).unwrap_or_default()
    }

    /// In the order of their names.
    pub fn all(&self) -> Vec<Status> {
        self.sources().values().map(|entry| entry.status.now()).collect()
    }

    /// The same with what it takes to read them.
    pub fn readable(&self) -> Vec<(Status, Readable)> {
        self.sources().values().map(|entry| (entry.status.clone(), entry.source.clone())).collect()
    }

    fn sources(&self) -> MutexGuard<'_, BTreeMap<String, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
