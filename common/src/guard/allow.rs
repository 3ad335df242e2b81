//! `ALLOW_TARGETS`: what may be connected to although it is not of the public internet.

use std::{net::IpAddr, str::FromStr};

use ipnet::IpNet;

/// One entry of `ALLOW_TARGETS`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    Net(IpNet),
    /// A host name, whatever it resolves to.
    Host(String),
    /// `*.suffix`: every name below it.
    Below(String),
}

impl FromStr for Allowed {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim().to_ascii_lowercase();
        if let Ok(net) = text.parse() {
            return Ok(Self::Net(net));
        }
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self::Net(address.into()));
        }
        let name = text.strip_prefix("*.").unwrap_or(&text);
        if name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
            return Err(format!("{text:?} is a part of an address: write the whole, or a network (10.0.0.0/8)"));
        }
        let is_name =
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        match (is_name, name.len() < text.len()) {
            (false, _) => {
                Err(format!("{text:?} is neither a network (10.0.0.0/8), an address, a host name nor *.suffix"))
            }
            (true, true) => Ok(Self::Below(format!(".{name}"))),
            (true, false) => Ok(Self::Host(text)),
        }
    }
}

/// `ALLOW_TARGETS`: entries separated by commas, possibly none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowList(Vec<Allowed>);

impl FromStr for AllowList {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let entries = text.split(',').filter(|entry| !entry.trim().is_empty());
        entries.map(str::parse).collect::<Result<_, _>>().map(Self)
    }
}

impl AllowList {
    #[must_use]
    pub fn lists(&self, address: IpAddr) -> bool {
        self.0.iter().any(|allowed| matches!(allowed, Allowed::Net(net) if net.contains(&address)))
    }

    #[must_use]
    pub fn lists_name(&self, host: &str) -> bool {
        let host = host.trim_end_matches('.').to_ascii_lowercase();
        self.0.iter().any(|allowed| match allowed {
            Allowed::Net(_) => false,
            Allowed::Host(name) => *name == host,
            Allowed::Below(suffix) => host.ends_with(suffix),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_cannot_be_read_are_refused() {
        for text in ["", "*.", "10.0.0.0/33", "http://a", "a b", "10.0.0", "10", "*.10"] {
            assert!(text.parse::<Allowed>().is_err(), "{text}");
        }
        let told = "10.0.0".parse::<Allowed>().unwrap_err();
        assert!(told.contains("part of an address"), "{told}");
    }
}
