//! What the administrator does with sources: make and change one, remove it, give it a new secret.

use common::time::now_ms;

use super::{Draft, Registry, fresh_secret};
use crate::{
    guards::{FieldError, Guard, Secrets},
    rules::Rules,
    store::sources::{self, Change, Row},
};

/// Why a change is not made.
#[derive(Debug)]
pub enum Refusal {
    /// What is wrong with the draft, field by field.
    Fields(Vec<FieldError>),
    /// The source stands in the file: it is changed there.
    OfFile,
    /// There is a source of this name.
    Exists,
    /// There is no such source.
    Missing,
    /// There are as many as may be.
    Full {
        max: usize,
    },
    /// Its secrets cannot be opened any more: it needs a new one.
    Sealed,
    Database(sqlx::Error),
}

impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Database(error)
    }
}

impl From<FieldError> for Refusal {
    fn from(error: FieldError) -> Self {
        Self::Fields(vec![error])
    }
}

/// All good, or what is wrong.
fn none_of(errors: Vec<FieldError>) -> Result<(), Refusal> {
    if errors.is_empty() { Ok(()) } else { Err(Refusal::Fields(errors)) }
}

/// As they stand in their column; the built-in ones alone are none.
fn stored(rules: &Rules) -> Option<String> {
    (!rules.is_empty()).then(|| serde_json::to_string(rules).expect("texts and numbers are always JSON"))
}

impl Registry {
    /// Makes the source what the draft says, or a new one.
    ///
    /// # Errors
    /// Says why not, field by field where it is the draft's fault.
    pub async fn save(&self, draft: Draft) -> Result<(), Refusal> {
        none_of(draft.check())?;
        self.change(&draft.name.clone(), |row, count| self.written(draft, row.as_ref(), count)).await
    }

    /// Makes a new source.
    ///
    /// # Errors
    /// Says why not; a source that is there already stays as it is.
    pub async fn create(&self, draft: Draft) -> Result<(), Refusal> {
        none_of(draft.check())?;
        self.change(&draft.name.clone(), |row, count| match row {
            Some(_) => Err(Refusal::Exists),
            None => self.written(draft, None, count),
        })
        .await
    }

    /// Gives a source other rules and leaves everything else of it alone; one that is not configured becomes an open one.
    ///
    /// # Errors
    /// Says why not.
    pub async fn set_rules(&self, name: &str, rules: Rules) -> Result<(), Refusal> {
        self.change(name, |row, count| match row {
            Some(row) => Ok(Change::Write(Box::new(Row { rules: stored(&rules), updated_ms: now_ms(), ..row }))),
            None => self.written(Draft::open(name, rules), None, count),
        })
        .await
    }

    fn written(&self, draft: Draft, row: Option<&Row>, count: i64) -> Result<Change, Refusal> {
        if row.is_none() && usize::try_from(count).is_ok_and(|count| count >= self.max) {
            return Err(Refusal::Full { max: self.max });
        }
        let secrets = self.secrets_of(&draft, row)?;
        Ok(Change::Write(Box::new(self.row(draft, &secrets, row))))
    }

    /// Removes the source and what was not let in. Events of it stay; who sends more is an unknown source.
    ///
    /// # Errors
    /// Says why not.
    pub async fn remove(&self, name: &str) -> Result<(), Refusal> {
        self.change(name, |row, _| row.map(|_| Change::Remove).ok_or(Refusal::Missing)).await
    }

    /// Gives the source a new secret; the present one is good until [`Self::finish_rotation`]. `None`: a random one is made.
    ///
    /// # Errors
    /// Says why not.
    pub async fn rotate(&self, name: &str, new: Option<String>) -> Result<(), Refusal> {
        self.change_secrets(name, |guard, secrets| {
            if guard.is_open() {
                return Err(FieldError::new("guard", "an open source has no secret").into());
            }
            Ok(secrets.rotated(new.unwrap_or_else(|| fresh_secret(guard))))
        })
        .await
    }

    /// Only the newest secret is good from now on.
    ///
    /// # Errors
    /// Says why not.
    pub async fn finish_rotation(&self, name: &str) -> Result<(), Refusal> {
        self.change_secrets(name, |_, secrets| Ok(secrets.settled())).await
    }

    fn row(&self, draft: Draft, secrets: &Secrets, before: Option<&Row>) -> Row {
        let now_ms = now_ms();
        Row {
            guard: serde_json::to_string(&draft.guard).expect("texts and numbers are always JSON"),
            secrets: self.sealed(secrets, &draft.name),
            rules: match &draft.rules {
                Some(rules) => stored(rules),
                None => before.and_then(|before| before.rules.clone()),
            },
            stale_after_s: draft.stale_after_s,
            rate_per_minute: draft.rate_per_minute,
            created_ms: before.map_or(now_ms, |before| before.created_ms),
            updated_ms: now_ms,
            name: draft.name,
        }
    }

    /// The secrets of a draft: the new one, or those that are stored.
    fn secrets_of(&self, draft: &Draft, row: Option<&Row>) -> Result<Secrets, Refusal> {
        let secrets = match (&draft.secret, row) {
            _ if draft.guard.is_open() => Secrets::default(),
            (Some(secret), _) => Secrets::new(Some(secret.clone()), None),
            (None, Some(row)) => self.opened(row).ok_or(Refusal::Sealed)?,
            (None, None) => Secrets::default(),
        };
        none_of(draft.guard.check_secrets(&secrets))?;
        Ok(secrets)
    }

    async fn change_secrets(
        &self,
        name: &str,
        make: impl FnOnce(&Guard, &Secrets) -> Result<Secrets, Refusal>,
    ) -> Result<(), Refusal> {
        self.change(name, |row, _| {
            let mut row = row.ok_or(Refusal::Missing)?;
            let guard: Guard = serde_json::from_str(&row.guard).map_err(|_| Refusal::Sealed)?;
            let secrets = make(&guard, &self.opened(&row).ok_or(Refusal::Sealed)?)?;
            none_of(guard.check_secrets(&secrets))?;
            row.secrets = self.sealed(&secrets, name);
            row.updated_ms = now_ms();
            Ok(Change::Write(Box::new(row)))
        })
        .await
    }

    async fn change(
        &self,
        name: &str,
        decide: impl FnOnce(Option<Row>, i64) -> Result<Change, Refusal>,
    ) -> Result<(), Refusal> {
        if self.of_file.iter().any(|source| &*source.name == name) {
            return Err(Refusal::OfFile);
        }
        sources::change(&self.db, name, decide).await??;
        Ok(self.read().await?)
    }
}
