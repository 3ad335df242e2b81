//! Who may call: keys are found by their hash, guesses are counted by where they come from, and each key has its pace.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use common::{
    db::Db,
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
const MINUTE: Duration = Duration::from_mins(1);
/// Addresses whose guesses are counted each by itself; those beyond share a count.
const MAX_ADDRESSES: usize = 10_000;
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
    guesses: Mutex<Guesses>,
    audited: Pace,
}

/// The wrong tries since a moment, by address; all are forgotten together.
struct Guesses {
    since: Instant,
    wrong: HashMap<IpAddr, u32>,
}

impl Default for Guesses {
    fn default() -> Self {
        Self { since: Instant::now(), wrong: HashMap::new() }
    }
}

impl Default for Doors {
    fn default() -> Self {
        Self { paces: Mutex::default(), guesses: Mutex::default(), audited: Pace::new(AUDITED) }
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
        let mut guesses = self.guesses();
        let (place, wait) = (guesses.place(address), MINUTE.saturating_sub(guesses.since.elapsed()));
        let wrong = guesses.wrong.entry(place).or_default();
        if *wrong >= GUESSES {
            return Err(Refusal::too_many("Too many wrong keys from this address.", wait));
        }
        *wrong += 1;
        Ok(())
    }

    fn guesses(&self) -> MutexGuard<'_, Guesses> {
        let mut guesses = self.guesses.lock().unwrap_or_else(PoisonError::into_inner);
        if guesses.since.elapsed() >= MINUTE {
            *guesses = Guesses::default();
        }
        guesses
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

impl Guesses {
    /// Who has one address of IPv6 has the 2^64 of its network; and when there are too many addresses, one stands for all new ones.
    fn place(&self, address: IpAddr) -> IpAddr {
        let place = match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
            address @ IpAddr::V4(_) => address,
        };
        let is_new = self.wrong.len() >= MAX_ADDRESSES && !self.wrong.contains_key(&place);
        if is_new { IpAddr::from([0, 0, 0, 0]) } else { place }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guessed_too_often_waits_and_nobody_else() {
        let doors = Doors::default();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        for _ in 0..GUESSES {
            assert_eq!(doors.count_guess(address("2001:db8::1")), Ok(()));
        }
        assert!(doors.count_guess(address("2001:db8::2")).is_err(), "the same network");
        for other in ["2001:db8:0:1::1", "10.0.0.1"] {
            assert_eq!(doors.count_guess(address(other)), Ok(()), "{other}");
        }
    }

    #[test]
    fn a_crowd_of_guessers_takes_no_more_than_its_room() {
        let doors = Doors::default();
        for number in 0..u32::try_from(MAX_ADDRESSES).unwrap() + 100 {
            // Beyond the room they share a count, which is soon full.
            let _ = doors.count_guess(IpAddr::from((0x0a00_0000 + number).to_be_bytes()));
        }
        assert!(doors.guesses().wrong.len() <= MAX_ADDRESSES + 1);
        assert!(doors.count_guess(address_of("192.0.2.1")).is_err(), "new ones share a count");
        assert_eq!(doors.count_guess(address_of("10.0.0.1")), Ok(()));
    }

    fn address_of(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
