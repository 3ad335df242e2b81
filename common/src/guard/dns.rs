//! The guard as reqwest's resolver: what it returns is dialled, so there is no second look-up that could say something else.

use std::{net::SocketAddr, sync::Arc};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::{Denied, Policy};

/// Looks names up, and gives of their addresses those that may be connected to.
pub struct GuardedDns<R = SystemDns> {
    policy: Arc<Policy>,
    dns: R,
}

impl GuardedDns {
    #[must_use]
    pub const fn new(policy: Arc<Policy>) -> Self {
        Self::over(policy, SystemDns)
    }
}

impl<R> GuardedDns<R> {
    /// The guard over another look-up than this machine's.
    pub const fn over(policy: Arc<Policy>, dns: R) -> Self {
        Self { policy, dns }
    }
}

impl<R: Resolve> Resolve for GuardedDns<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let (policy, host) = (Arc::clone(&self.policy), name.as_str().to_owned());
        let looking = self.dns.resolve(name);
        Box::pin(async move {
            let found: Vec<SocketAddr> = match looking.await {
                Ok(found) => found.collect(),
                Err(_) => Vec::new(),
            };
            let permitted = policy.permitted(&host, found)?;
            Ok(Box::new(permitted.into_iter()) as Addrs)
        })
    }
}

/// This machine's look-up.
pub struct SystemDns;

impl Resolve for SystemDns {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

impl Policy {
    /// The addresses of a name that may be connected to, of those that DNS says; at least one.
    ///
    /// # Errors
    /// When there is none.
    pub fn permitted(&self, host: &str, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Denied> {
        let first = found.first().ok_or_else(|| Denied::NoSuchName { host: host.to_owned() })?.ip();
        if self.allowed.lists_name(host) {
            return Ok(found);
        }
        let permitted: Vec<SocketAddr> = found.into_iter().filter(|found| self.permits(found.ip())).collect();
        if permitted.is_empty() {
            Err(Denied::Blocked { host: host.to_owned(), address: first })
        } else {
            Ok(permitted)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        net::IpAddr,
        sync::atomic::{AtomicUsize, Ordering::SeqCst},
    };

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::*;
    use crate::{guard::cause, tls};

    /// Says the first of these at the first look-up, the second at the second, and the last from then on.
    struct Rebinding {
        says: Vec<Vec<IpAddr>>,
        asked: Arc<AtomicUsize>,
    }

    impl Resolve for Rebinding {
        fn resolve(&self, _: Name) -> Resolving {
            let place = self.asked.fetch_add(1, SeqCst).min(self.says.len() - 1);
            let addresses: Vec<SocketAddr> = self.says[place].iter().map(|address| (*address, 0).into()).collect();
            Box::pin(async move { Ok(Box::new(addresses.into_iter()) as Addrs) })
        }
    }

    /// Answers one request a connection; counts the connections.
    async fn server(address: &str, port: u16) -> (u16, Arc<AtomicUsize>) {
        let listener = TcpListener::bind((address, port)).await.unwrap();
        let (port, count) = (listener.local_addr().unwrap().port(), Arc::new(AtomicUsize::new(0)));
        let counted = Arc::clone(&count);
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                counted.fetch_add(1, SeqCst);
                let _ = stream.read(&mut [0; 4096]).await;
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n").await;
            }
        });
        (port, count)
    }

    fn client(says: &[&[&str]]) -> (reqwest::Client, Arc<AtomicUsize>) {
        // 127.0.0.1 stands for an address of the public internet, 127.0.0.2 for one of this network.
        let policy = Policy { allowed: "127.0.0.1".parse().unwrap(), loopback: false };
        let says = says.iter().map(|list| list.iter().map(|address| address.parse().unwrap()).collect()).collect();
        let asked = Arc::new(AtomicUsize::new(0));
        let dns = GuardedDns::over(policy.into(), Rebinding { says, asked: Arc::clone(&asked) });
        let builder = reqwest::Client::builder().no_proxy().dns_resolver(dns);
        (builder.tls_backend_preconfigured(tls::verifying().unwrap()).build().unwrap(), asked)
    }

    #[tokio::test]
    async fn a_name_that_changes_its_mind_is_dialled_where_it_was_checked_or_nowhere() {
        let (port, public) = server("127.0.0.1", 0).await;
        let (_, private) = server("127.0.0.2", port).await;
        let (client, asked) = client(&[&["127.0.0.1"], &["127.0.0.2"]]);
        let url = format!("http://rebinding.example:{port}/");
        assert_eq!(client.get(&url).send().await.unwrap().status(), 200);
        assert_eq!(asked.load(SeqCst), 1, "there is one look-up for one connection");
        let error = client.get(&url).send().await.unwrap_err();
        assert!(matches!(cause::<Denied>(&error), Some(Denied::Blocked { .. })), "{error:?}");
        assert_eq!((public.load(SeqCst), private.load(SeqCst)), (1, 0));
    }

    #[tokio::test]
    async fn of_several_addresses_only_those_are_tried_that_may_be() {
        let (port, private) = server("127.0.0.2", 0).await;
        let (client, _) = client(&[&["127.0.0.2", "127.0.0.1", "10.0.0.1", "::1"]]);
        let error = client.get(format!("http://several.example:{port}/")).send().await.unwrap_err();
        assert!(error.is_connect() && cause::<Denied>(&error).is_none(), "127.0.0.1 was tried in vain: {error:?}");
        assert_eq!(private.load(SeqCst), 0);
    }

    #[tokio::test]
    async fn a_name_that_nobody_knows_is_told_so() {
        let (client, _) = client(&[&[]]);
        let error = client.get("http://nobody.example/").send().await.unwrap_err();
        assert!(matches!(cause::<Denied>(&error), Some(Denied::NoSuchName { .. })), "{error:?}");
    }
}
