//! Where a Modbus device listens, as it is written.

use std::fmt;

use serde::{Deserialize, Deserializer, de};

/// Registered for Modbus TCP.
const PORT: u16 = 502;

/// Where it listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    pub host: String,
    pub port: u16,
}

/// `HOST`, `HOST:PORT`, `[IPv6]:PORT`.
pub fn address<'de, D: Deserializer<'de>>(from: D) -> Result<Address, D::Error> {
    let text = String::deserialize(from)?;
    Address::read(&text).ok_or_else(|| de::Error::custom(format!("{text:?} is no address: write HOST:{PORT}")))
}

impl Address {
    /// `None`: it is none.
    fn read(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[').map(|rest| rest.split_once(']')) {
            Some(parts) => {
                let (host, port) = parts?;
                (host, if port.is_empty() { None } else { Some(port.strip_prefix(':')?) })
            }
            None => text.rsplit_once(':').map_or((text, None), |(host, port)| (host, Some(port))),
        };
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:%".contains(letter);
        if host.is_empty() || !host.chars().all(is_plain) || (!text.starts_with('[') && host.contains(':')) {
            return None;
        }
        let port = port.map_or(Some(PORT), |port| port.parse().ok().filter(|port| *port > 0))?;
        Some(Self { host: host.to_owned(), port })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_mostly_a_port() {
        for (text, shown) in [
            ("plc", Some("plc:502")),
            ("10.0.0.5:1502", Some("10.0.0.5:1502")),
            ("[::1]", Some("[::1]:502")),
            ("[::1]:1502", Some("[::1]:1502")),
            ("::1", None),
            ("", None),
            (":502", None),
            ("plc:", None),
            ("plc:0", None),
            ("plc:70000", None),
            ("[::1", None),
            ("tcp://plc", None),
        ] {
            assert_eq!(Address::read(text).map(|address| address.to_string()).as_deref(), shown, "{text}");
        }
    }
}
