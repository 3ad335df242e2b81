//! Who may call: keys are found by their hash, guesses are counted by where they come from, and each key has its pace.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

use common::{
    db::Db,
    guesses::Guesses,
    key,
    time::{now_ms, now_us, rfc3339},
};

use super::refusal::Refusal;
use crate::{
    sources::Pace,
    store::actions::keys::{self, Key},
};

/// Wrong keys that one address may try a minute.
const GUESSES: u32 = 20;
/// Paces that are remembered.
const MAX_PACES: usize = 4096;
/// Questions for outcomes that a key may ask a minute.
const QUESTIONS: u32 = 600;
/// Refused calls that the audit takes a minute: nobody who is not let in fills it.
const AUDITED: u32 = 600;
const MAX_KEY_BYTES: usize = 256;

/// What a key is used for; each has a pace of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    Call,
    Ask,
}

/// The counts of one node.
pub struct Doors {
    /// By the rate as well: who changes that of a key has it at once.
    paces: Mutex<HashMap<(String, Purpose, u32), Arc<Pace>>>,
    guesses: Guesses,
    audited: Pace,
}

impl Default for Doors {
    fn default() -> Self {
        Self { paces: Mutex::default(), guesses: Guesses::new(GUESSES), audited: Pace::new(AUDITED) }
    }
}

/// What a key is found by.
#[must_use]
pub fn hash(key: &str) -> String {
    key::hex(&key::sha256(key.as_bytes()))
}

impl Doors {
    /// The key that was sent, when it is one and not too late; the caller has still to look at its pace and its scope.
    ///
    /// A good key is good however often others guessed from its address: a proxy's, or a whole building's.
    ///
    /// # Errors
    /// 401, or 429 for an address that guessed too often.
    pub async fn open(&self, db: &Db, sent: Option<&str>, address: IpAddr) -> Result<Key, Refusal> {
        let Some(sent) = sent.filter(|sent| !sent.is_empty()) else {
            let error = "The API key is missing: send it as the header x-webhook-apikey, or as api_key in the link.";
            return Err(Refusal::unauthorized(error));
        };
        let hash = hash(sent);
        let found = if sent.len() > MAX_KEY_BYTES { None } else { keys::by_hash(db, &hash).await? };
        let Some(key) = found.filter(|key| key::equal(key.key_sha256.as_bytes(), hash.as_bytes())) else {
            self.count_guess(address)?;
            return Err(Refusal::unauthorized(
                "There is no such API key (any more). Copy it anew from the list of API keys.",
            ));
        };
        match key.expires_ms.filter(|expires_ms| *expires_ms <= now_ms()) {
            Some(expires_ms) => {
                let error = format!("This API key expired at {}. Use another one.", rfc3339(expires_ms));
                Err(Refusal::unauthorized(error))
            }
            None => Ok(key),
        }
    }

    /// Counts a wrong key.
    ///
    /// # Errors
    /// 429 when this address sent too many within the minute.
    pub fn count_guess(&self, address: IpAddr) -> Result<(), Refusal> {
        let told = |wait| Refusal::too_many("Too many wrong keys from this address.", wait);
        self.guesses.count(address).map_err(told)
    }

    /// Takes one of the key's allowance for the purpose.
    ///
    /// # Errors
    /// 429 when it comes too soon.
    pub fn pace(&self, key: &Key, purpose: Purpose) -> Result<(), Refusal> {
        let per_minute = match purpose {
            Purpose::Call => u32::try_from(key.rate_per_minute).unwrap_or(u32::MAX),
            Purpose::Ask => QUESTIONS,
        };
        let pace = {
            let mut paces = self.paces.lock().unwrap_or_else(PoisonError::into_inner);
            if paces.len() >= MAX_PACES {
                paces.clear();
            }
            paces
                .entry((key.id.clone(), purpose, per_minute))
                .or_insert_with(|| Arc::new(Pace::new(per_minute)))
                .clone()
        };
        pace.take(now_us()).map_err(|wait| {
            Refusal::too_many(format!("This API key is good for {per_minute} of these requests a minute."), wait)
        })
    }

    /// Whether the audit takes one more refused call.
    #[must_use]
    pub fn may_audit(&self) -> bool {
        self.audited.take(now_us()).is_ok()
    }
}
