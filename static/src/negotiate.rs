//! Which of the three encodings a client gets (RFC 9110, sections 12.5.3 and 13.1.2).

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Encoding {
    Brotli,
    Gzip,
    Identity,
}

impl Encoding {
    pub fn name(self) -> &'static str {
        match self {
            Self::Brotli => "br",
            Self::Gzip => "gzip",
            Self::Identity => "identity",
        }
    }
}

/// The smallest encoding an `Accept-Encoding` value allows; `q=0` forbids, `*` stands for what is not named.
pub fn best(accepted: &str) -> Encoding {
    [Encoding::Brotli, Encoding::Gzip]
        .into_iter()
        .find(|encoding| quality(accepted, encoding.name()) > 0.0)
        .unwrap_or(Encoding::Identity)
}

fn quality(accepted: &str, wanted: &str) -> f32 {
    let mut any = 0.0;
    for part in accepted.split(',') {
        let (name, parameters) = part.split_once(';').unwrap_or((part, ""));
        let q = parameters.trim().strip_prefix("q=").map_or(1.0, |value| value.trim().parse().unwrap_or(0.0));
        match name.trim() {
            name if name.eq_ignore_ascii_case(wanted) => return q,
            "*" => any = q,
            _ => {}
        }
    }
    any
}

/// Whether an `If-None-Match` value names this tag, weakly compared.
pub fn knows(sent: &str, etag: &str) -> bool {
    sent.split(',').map(str::trim).any(|tag| tag == "*" || tag.strip_prefix("W/").unwrap_or(tag) == etag)
}

#[cfg(test)]
mod tests {
    use super::{Encoding, best, knows};

    #[test]
    fn the_smallest_allowed_encoding_is_taken() {
        let table = [
            ("gzip, deflate, br", Encoding::Brotli),
            ("br;q=0, gzip", Encoding::Gzip),
            ("br;q=0, *", Encoding::Gzip),
            ("BR;q=0.1", Encoding::Brotli),
            ("*;q=0", Encoding::Identity),
            ("identity", Encoding::Identity),
            ("gzip; q=0", Encoding::Identity),
            ("", Encoding::Identity),
        ];
        for (accepted, expected) in table {
            assert_eq!(best(accepted), expected, "{accepted}");
        }
    }

    #[test]
    fn a_known_tag_is_recognised_weak_or_strong() {
        assert!(knows("\"a-br\"", "\"a-br\""));
        assert!(knows("\"x\", W/\"a-br\"", "\"a-br\""));
        assert!(!knows("\"a-gzip\"", "\"a-br\""));
    }
}
