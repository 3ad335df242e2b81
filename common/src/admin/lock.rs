//! The lock of the gate: the password with the tries that each address has, and the sessions that it opens.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::{key, time::now_ms};

pub const SESSION_S: i64 = 7 * 24 * 3600;
/// Wrong passwords that one address may try a minute.
const TRIES: u32 = 10;
const MINUTE: Duration = Duration::from_mins(1);

/// What the gate says to a request.
pub enum Verdict {
    Welcome,
    Stranger,
    TooManyTries(Duration),
}

pub struct Lock {
    password_sha256: String,
    session_key: String,
    tries: Mutex<Tries>,
}

/// The wrong tries since a moment, by address; all are forgotten together.
struct Tries {
    since: Instant,
    wrong: HashMap<IpAddr, u32>,
}

impl Lock {
    pub fn new(password_sha256: String, secret: &str) -> Self {
        let tries = Mutex::new(Tries { since: Instant::now(), wrong: HashMap::new() });
        Self { session_key: format!("{secret}:{password_sha256}"), password_sha256, tries }
    }

    /// An address with too many wrong tries behind it is refused whatever it says: else the answer would tell a guesser the right one.
    pub fn try_password(&self, password: &str, address: Option<IpAddr>) -> Verdict {
        let address = network(address.unwrap_or(IpAddr::from([0, 0, 0, 0])));
        let mut tries = self.tries.lock().unwrap_or_else(PoisonError::into_inner);
        if tries.since.elapsed() >= MINUTE {
            *tries = Tries { since: Instant::now(), wrong: HashMap::new() };
        }
        if tries.wrong.get(&address).is_some_and(|wrong| *wrong >= TRIES) {
            return Verdict::TooManyTries(MINUTE.saturating_sub(tries.since.elapsed()));
        }
        if key::equal(hash(password).as_bytes(), self.password_sha256.as_bytes()) {
            return Verdict::Welcome;
        }
        *tries.wrong.entry(address).or_default() += 1;
        Verdict::Stranger
    }

    /// `expiry.mac`; the key holds the password's hash, so that a new password ends every session.
    pub fn new_session(&self) -> String {
        let expires_s = now_ms() / 1000 + SESSION_S;
        format!("{expires_s}.{}", self.mac(expires_s))
    }

    pub fn session_is_good(&self, cookie: &str) -> bool {
        let Some((expires, mac)) = cookie.split_once('.') else {
            return false;
        };
        let Ok(expires_s) = expires.parse::<i64>() else {
            return false;
        };
        expires_s > now_ms() / 1000 && key::equal(mac.as_bytes(), self.mac(expires_s).as_bytes())
    }

    fn mac(&self, expires_s: i64) -> String {
        key::mac(&self.session_key, &format!("session.{expires_s}"))
    }
}

/// How passwords are compared, and kept when we made them: 80 random bits cannot be guessed, so their plain SHA-256 is enough.
pub fn hash(password: &str) -> String {
    key::hex(&key::sha256(password.as_bytes()))
}

/// Who has one address of IPv6 has the 2^64 of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        address @ IpAddr::V4(_) => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_guessed_wrong_too_often_is_not_even_told_the_right_password() {
        let lock = Lock::new(hash("right"), "k");
        let of = |address: &str| Some(address.parse().unwrap());
        for _ in 0..TRIES * 2 {
            assert!(matches!(lock.try_password("right", of("2001:db8::1")), Verdict::Welcome), "it costs no try");
        }
        for _ in 0..TRIES {
            assert!(matches!(lock.try_password("wrong", of("2001:db8::1")), Verdict::Stranger));
        }
        for neighbour in ["2001:db8::1", "2001:db8::ffff:1"] {
            assert!(matches!(lock.try_password("right", of(neighbour)), Verdict::TooManyTries(_)), "{neighbour}");
        }
        for other in ["2001:db8:0:1::1", "10.0.0.1", "::ffff:10.0.0.2"] {
            assert!(matches!(lock.try_password("right", of(other)), Verdict::Welcome), "{other}");
        }
    }
}
