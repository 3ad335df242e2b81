//! Why a request was not let in: one text for the operator, who looks for what is wrong, and one for the sender, who may be anybody.

use common::signature::Algorithm;
use http::Method;

/// The kinds of reasons, as `/metrics` counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The header, parameter or part of the path is not there.
    Missing,
    /// It is there and cannot be read.
    Malformed,
    /// No secret of the source gives it.
    NoMatch,
    /// It is right, and its time stamp is too far from our clock.
    OutOfTime,
    /// What can only call an address cannot sign.
    Unsigned,
    /// No source of this name is configured, and unknown ones are refused.
    Unknown,
    /// More than the source's rate allows.
    TooFast,
    /// The stored secrets cannot be opened.
    Sealed,
}

impl Kind {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Malformed => "malformed",
            Self::NoMatch => "no_match",
            Self::OutOfTime => "out_of_time",
            Self::Unsigned => "unsigned",
            Self::Unknown => "unknown",
            Self::TooFast => "too_fast",
            Self::Sealed => "sealed",
        }
    }

    /// What the sender is told: 401 when it did not show who it is, 403 when it may not come in this way or now, 503 when it is our fault.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Missing | Self::Malformed | Self::NoMatch => 401,
            Self::OutOfTime | Self::Unsigned | Self::Unknown => 403,
            Self::TooFast => 429,
            Self::Sealed => 503,
        }
    }

    /// A sentence for the sender: it says what to change and gives nothing away.
    #[must_use]
    pub const fn for_sender(self) -> &'static str {
        match self {
            Self::Missing => "This source asks for credentials or a signature, and the request has none.",
            Self::Malformed => "The credentials or the signature of the request cannot be read.",
            Self::NoMatch => "The credentials or the signature of the request are not those of this source.",
            Self::OutOfTime => "The time stamp of the request is too far from the receiver's clock. Sign it anew.",
            Self::Unsigned => "This source asks for a signature, which only a POST carries.",
            Self::Unknown => "There is no source of this name. Ask the receiver's operator to add it.",
            Self::TooFast => "This source takes no more for the moment. Retry-After says when to come again.",
            Self::Sealed => "This source cannot check requests at the moment. Send it again later.",
        }
    }
}

/// A request that was not let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejection {
    pub kind: Kind,
    /// For the operator: what exactly is wrong. No secret is in it.
    pub reason: String,
    /// The scheme of `WWW-Authenticate`, where HTTP has one for it.
    pub scheme: Option<&'static str>,
}

impl Rejection {
    #[must_use]
    pub fn new(kind: Kind, reason: impl Into<String>) -> Self {
        Self { kind, reason: reason.into(), scheme: None }
    }

    pub(super) fn missing_header(name: &str) -> Self {
        Self::new(Kind::Missing, format!("the header {name} is missing"))
    }

    pub(super) fn malformed(reason: impl Into<String>) -> Self {
        Self::new(Kind::Malformed, reason)
    }

    pub(super) fn no_match(header: &str) -> Self {
        let reason = format!(
            "no signature in {header} is made with a secret of this source; is it the right secret, and does a proxy change the body?"
        );
        Self::new(Kind::NoMatch, reason)
    }

    pub(super) fn not_signed(method: &Method) -> Self {
        let reason = format!("a {method} carries no signature; let the sender POST, or guard the source by a token");
        Self::new(Kind::Unsigned, reason)
    }

    pub(super) fn with_scheme(mut self, scheme: Option<&'static str>) -> Self {
        self.scheme = scheme;
        self
    }
}

/// Whether the time stamp lies within the tolerance; the signature was found to be right before.
///
/// # Errors
/// Says how old it is, or how far in the future.
pub(super) fn in_time(stamp_s: i64, tolerance_s: i64, now_s: i64) -> Result<(), Rejection> {
    let age_s = i128::from(now_s) - i128::from(stamp_s);
    if age_s.abs() <= i128::from(tolerance_s) {
        return Ok(());
    }
    let distance = if age_s > 0 { format!("{age_s} s old") } else { format!("{} s in the future", -age_s) };
    let reason = format!("the time stamp is {distance}; {tolerance_s} s are allowed; is a clock wrong?");
    Err(Rejection::new(Kind::OutOfTime, reason))
}

/// Seconds since 1970 as they stand in a header: digits and nothing else, as they are signed.
///
/// # Errors
/// When it is no such number.
pub(super) fn seconds(text: &str, header: &str) -> Result<i64, Rejection> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = digits.then(|| text.parse().ok()).flatten();
    seconds.ok_or_else(|| {
        Rejection::malformed(format!("the time stamp in {header} is not a number of seconds since 1970"))
    })
}

/// How many letters a signature has in hex.
pub(super) const fn hex_length(algorithm: Algorithm) -> usize {
    match algorithm {
        Algorithm::Sha1 => 40,
        Algorithm::Sha256 => 64,
        Algorithm::Sha512 => 128,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_is_told_how_far_off_a_clock_is() {
        assert_eq!(in_time(1000, 300, 1300), Ok(()));
        assert_eq!(in_time(1300, 300, 1000), Ok(()));
        let old = in_time(1000, 300, 4612).unwrap_err();
        assert_eq!(old.reason, "the time stamp is 3612 s old; 300 s are allowed; is a clock wrong?");
        assert!(in_time(1301, 300, 1000).unwrap_err().reason.contains("301 s in the future"));
        assert_eq!(in_time(i64::MAX, 300, i64::MIN).unwrap_err().kind, Kind::OutOfTime);
    }

    #[test]
    fn only_digits_are_a_time_stamp() {
        assert_eq!(seconds("1614265330", "t"), Ok(1_614_265_330));
        for text in ["", "+1", "-1", " 1", "1.0", "99999999999999999999"] {
            assert_eq!(seconds(text, "t").unwrap_err().kind, Kind::Malformed, "{text:?}");
        }
    }
}
