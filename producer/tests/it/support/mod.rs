//! What the tests stand on: a producer in a runtime of its own, a receiver whose answers can change, a database each.

mod accounts;
mod database;
pub mod endpoint;
pub mod evok;
pub mod modbus;
pub mod mosquitto;
mod producer;
mod receiver;
pub mod stage;
pub mod visitor;
pub mod wire;

pub use accounts::{Account, Accounts, Subscription};
pub use database::{Database, redis_url};
pub use producer::{Producer, Reply, http};
pub use receiver::{Answer, Hook, Receiver};

use std::{future::Future, time::Duration};

/// Longer than anything a test waits for, on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Makes two tests of one: on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($(async fn $name:ident($database:ident: Database) $body:block)+) => {$(
        mod $name {
            #[allow(unused_imports)]
            use super::*;

            async fn run($database: Database) $body

            #[tokio::test]
            async fn on_sqlite() {
                run(Database::sqlite()).await;
            }

            #[tokio::test]
            async fn on_postgres() {
                run(Database::postgres().await).await;
            }
        }
    )+};
}

/// Waits until `look` sees something; fails with `what` when it never does.
pub async fn eventually<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    let looking = async {
        loop {
            if let Some(seen) = look().await {
                return seen;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, looking).await.unwrap_or_else(|_| panic!("waited in vain: {what}"))
}
