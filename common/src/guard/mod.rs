//! Where neither service may connect: addresses of private networks and of this machine, unless a setting allows them.
//!
//! Both the literal address in a URL and what DNS says are checked; the addresses that were checked are the ones that are dialled.

pub mod allow;
mod dns;

use std::{
    error::Error,
    fmt, io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use url::{Host, Url};

use allow::AllowList;
pub use dns::GuardedDns;

/// What may be connected to.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    pub allowed: AllowList,
    /// Whether this machine itself may be connected to.
    pub loopback: bool,
}

/// Why there is no address to connect to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// Names the host and the address that is not allowed.
    Blocked { host: String, address: IpAddr },
    /// DNS knows no such name, or does not answer.
    NoSuchName { host: String },
    /// Neither http nor https, or no host at all.
    NotHttp,
    /// A user name or a password stands in it, where every page and log would show it.
    Credentials,
}

impl fmt::Display for Denied {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocked { host, address } => {
                write!(
                    f,
                    "{host} is at {address}, an address of a private network or of this machine. To allow it, add it to ALLOW_TARGETS"
                )
            }
            Self::NoSuchName { host } => write!(f, "name not found: {host}. Check the receiver's address"),
            Self::Credentials => write!(f, "a URL may carry no user name or password: they would be shown and stored"),
            Self::NotHttp => write!(
                f,
                "not an address that can be posted to: it must begin with http:// or https:// and name a host"
            ),
        }
    }
}

impl Error for Denied {}

impl Policy {
    /// Checks a URL as far as that is possible without DNS: its scheme, and its host when that is an address.
    ///
    /// # Errors
    /// Says why it may not be connected to.
    pub fn check(&self, url: &Url) -> Result<(), Denied> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Denied::NotHttp);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Denied::Credentials);
        }
        let address = match url.host() {
            None | Some(Host::Domain("")) => return Err(Denied::NotHttp),
            Some(Host::Domain(_)) => return Ok(()),
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
        };
        if self.permits(address) {
            Ok(())
        } else {
            Err(Denied::Blocked { host: url.host_str().unwrap_or_default().to_owned(), address })
        }
    }

    /// Whether the address may be connected to, whatever name it was found under.
    #[must_use]
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        (self.loopback && address.is_loopback()) || self.allowed.lists(address) || is_public(address)
    }

    /// The addresses of a name that may be connected to; at least one.
    ///
    /// # Errors
    /// When there is none.
    pub async fn resolve(&self, host: &str, port: u16) -> Result<Vec<SocketAddr>, Denied> {
        let found = tokio::net::lookup_host((host, port)).await;
        let found = found.map_err(|_| Denied::NoSuchName { host: host.to_owned() })?.collect();
        self.permitted(host, found)
    }
}

/// The deepest cause of this type; an `io::Error` hides the error it was made from, so it is looked into.
#[must_use]
pub fn cause<'a, E: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a E> {
    let inside = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
    let inside = inside.map(|inside| inside as &(dyn Error + 'static));
    inside.or_else(|| error.source()).and_then(cause).or_else(|| error.downcast_ref())
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast();
    let reserved = a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (b & 0xfe) == 18);
    !special && !reserved
}

/// What is given out to the world (`2000::/3`), without what carries a v4 address inside (6to4, Teredo) or is for protocols and documents.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    let protocols = a == 0x2001 && b < 0x200;
    let documentation = (a == 0x2001 && b == 0xdb8) || (a == 0x3fff && b < 0x1000);
    (a & 0xe000) == 0x2000 && a != 0x2002 && !protocols && !documentation
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_PUBLIC: [&str; 36] = [
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "127.0.0.1",
        "127.9.9.9",
        "169.254.169.254",
        "0.0.0.0",
        "0.1.2.3",
        "255.255.255.255",
        "240.0.0.1",
        "100.64.0.1",
        "192.0.0.8",
        "192.0.2.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.7",
        "203.0.113.9",
        "224.0.0.1",
        "::1",
        "::",
        "fc00::1",
        "fd12::1",
        "fe80::1",
        "fec0::1",
        "ff02::1",
        "2001:db8::1",
        "64:ff9b::7f00:1",
        "2002:7f00:1::",
        "2001:0:1::1",
        "::ffff:127.0.0.1",
        "::ffff:0:127.0.0.1",
        "::127.0.0.1",
        "100::1",
        "3fff::1",
        "5f00::1",
        "2001:20::1",
    ];

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn addresses_that_are_not_of_the_public_internet_are_refused() {
        let policy = Policy::default();
        for address in NOT_PUBLIC {
            assert!(!policy.permits(address.parse().unwrap()), "{address}");
        }
        for address in
            ["8.8.8.8", "100.128.0.1", "198.20.0.1", "2606:4700::1111", "2001:4860:4860::8888", "::ffff:8.8.8.8"]
        {
            assert!(policy.permits(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn an_address_in_a_url_is_seen_however_it_is_written() {
        let policy = Policy::default();
        for text in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://017700000001/",
            "http://[::ffff:127.0.0.1]/",
            "http://[::1]:80/",
        ] {
            assert!(matches!(policy.check(&url(text)), Err(Denied::Blocked { .. })), "{text}");
        }
        assert_eq!(policy.check(&url("ftp://example.com/")), Err(Denied::NotHttp));
        assert_eq!(policy.check(&url("https://example.com/hook")), Ok(()));
    }

    #[test]
    fn settings_open_networks_and_this_machine() {
        let local = Policy { loopback: true, ..Policy::default() };
        assert_eq!(local.check(&url("http://[::ffff:127.0.0.1]:5001/")), Ok(()));
        assert!(local.check(&url("http://10.0.0.1/")).is_err());
        let net = Policy { allowed: "10.0.0.0/8".parse().unwrap(), loopback: false };
        assert_eq!(net.check(&url("http://10.0.0.1/")), Ok(()));
        assert!(net.check(&url("http://127.0.0.1/")).is_err());
    }

    #[test]
    fn the_error_names_the_setting() {
        let denied = Policy::default().check(&url("http://127.0.0.1:5001/")).unwrap_err();
        assert!(denied.to_string().contains("ALLOW_TARGETS"), "{denied}");
    }

    #[tokio::test]
    async fn a_name_of_this_machine_is_refused_by_what_dns_says_unless_the_name_is_allowed() {
        let denied = Policy::default().resolve("localhost", 80).await.unwrap_err();
        assert!(matches!(denied, Denied::Blocked { .. }), "{denied:?}");
        let named = Policy { allowed: "localhost,".parse().unwrap(), loopback: false };
        assert!(named.resolve("LOCALHOST", 80).await.is_ok());
        let policy = Policy { allowed: " , *.example.com".parse().unwrap(), loopback: false };
        assert!(
            policy.allowed.lists_name("a.b.example.com")
                && !policy.allowed.lists_name("example.com")
                && !policy.allowed.lists_name("badexample.com")
        );
    }
}
