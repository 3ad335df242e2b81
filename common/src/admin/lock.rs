//! The lock of the gate: the password with the tries that each address has, and the sessions that it opens.

use std::{net::IpAddr, time::Duration};

use crate::{
    guesses::{Guess, Guesses},
    key,
    time::now_ms,
};

pub const SESSION_S: i64 = 7 * 24 * 3600;
/// Wrong passwords that one address may try a minute.
const TRIES: u32 = 10;

/// What the gate says to a request.
pub enum Verdict {
    Welcome,
    Stranger,
    TooManyTries(Duration),
}

pub struct Lock {
    password_sha256: String,
    session_key: String,
    guesses: Guesses,
}

impl Lock {
    pub fn new(password_sha256: String, secret: &str) -> Self {
        Self { session_key: format!("{secret}:{password_sha256}"), password_sha256, guesses: Guesses::new(TRIES) }
    }

    /// An address with too many wrong tries behind it is refused whatever it says: else the answer would tell a guesser the right one.
    pub fn try_password(&self, password: &str, address: Option<IpAddr>) -> Verdict {
        let is_right = || key::equal(hash(password).as_bytes(), self.password_sha256.as_bytes());
        match self.guesses.judge(address.unwrap_or(IpAddr::from([0, 0, 0, 0])), is_right) {
            Guess::Right => Verdict::Welcome,
            Guess::Wrong => Verdict::Stranger,
            Guess::TooMany(wait) => Verdict::TooManyTries(wait),
        }
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

#[cfg(test)]
mod fuzz {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_session_that_was_not_opened_here_is_none(cookie in "[0-9]{0,20}\\.?[0-9a-f]{0,64}|.{0,40}", at in any::<prop::sample::Index>()) {
            let lock = Lock::new(hash("right"), "k");
            prop_assert!(!lock.session_is_good(&cookie));
            let mut session = lock.new_session().into_bytes();
            prop_assert!(lock.session_is_good(std::str::from_utf8(&session).unwrap()));
            let place = at.index(session.len());
            session[place] = if session[place] == b'1' { b'2' } else { b'1' };
            prop_assert!(!lock.session_is_good(std::str::from_utf8(&session).unwrap()));
        }
    }
}
