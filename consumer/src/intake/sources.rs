//! The names of sources: anybody who may post may name one, so there is an end to new ones.

use std::{
    collections::HashSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

use axum::http::StatusCode;
use common::{db::Db, problem::Problem};

use super::DEFAULT_SOURCE;
use crate::store::counts;

/// The names that may be used on this node: those of the log, and those of events on their way into it.
#[derive(Debug)]
pub struct Sources {
    known: Mutex<HashSet<String>>,
    max: usize,
}

impl Sources {
    #[must_use]
    pub fn new(max: usize) -> Self {
        Self { known: Mutex::default(), max }
    }

    fn known(&self) -> MutexGuard<'_, HashSet<String>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a new name in, as long as there is room.
    ///
    /// # Errors
    /// 403 when there are as many as may be, 503 when the database fails.
    pub async fn admit(&self, db: &Db, source: &str) -> Result<(), Problem> {
        if source == DEFAULT_SOURCE || self.known().contains(source) {
            return Ok(());
        }
        if self.known().len() >= self.max {
            return Err(self.refusal());
        }
        // Another node, or an earlier run, may know more.
        let stored = counts::all(db).await?;
        let mut known = self.known();
        known.extend(stored.into_iter().map(|row| row.source));
        if !known.contains(source) && known.len() >= self.max {
            return Err(self.refusal());
        }
        known.insert(source.to_owned());
        Ok(())
    }

    fn refusal(&self) -> Problem {
        let detail = format!("There are {} sources already, and no new one is taken. Send as one of them.", self.max);
        Problem::new(StatusCode::FORBIDDEN, detail).with("max_sources", self.max)
    }
}
