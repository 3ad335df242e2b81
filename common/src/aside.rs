//! Threads for work that gives way: while the processor is busy, everything else goes first.

use std::{future::poll_fn, pin::pin};

use anyhow::Context;
use tokio::runtime::{Builder, Handle, Runtime};

/// While both have work, such a thread gets about a third of what any other gets; alone it gets all (`sched(7)`, "The nice value").
const NICER: i32 = 5;

/// Threads of their own with the tasks that were spawned on them; all of it ends with this.
#[derive(Debug)]
pub struct Aside(Option<Runtime>);

impl Aside {
    /// As many threads as there are processors, with this name.
    ///
    /// # Errors
    /// When the system gives no threads.
    pub fn start(name: &str) -> anyhow::Result<Self> {
        let building = Builder::new_multi_thread().thread_name(name).on_thread_start(give_way).enable_all().build();
        Ok(Self(Some(building.with_context(|| format!("cannot start threads for {name}"))?)))
    }

    /// Where tasks can be spawned.
    ///
    /// # Panics
    /// Never: the threads are there until this is dropped.
    #[must_use]
    pub fn handle(&self) -> Handle {
        self.0.as_ref().expect("there until it is dropped").handle().clone()
    }
}

impl Drop for Aside {
    /// A runtime that is dropped waits for its threads, which a task of another one may not.
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Drives the future here; the tasks that it spawns run there.
pub async fn spawning_on<F: Future>(there: &Handle, future: F) -> F::Output {
    let mut future = pin!(future);
    poll_fn(|context| {
        let _entered = there.enter();
        future.as_mut().poll(context)
    })
    .await
}

/// On Linux a thread has a nice value of its own; elsewhere it is the whole process's, which stays as it is.
fn give_way() {
    #[cfg(target_os = "linux")]
    if let Err(error) = rustix::process::nice(NICER) {
        tracing::debug!(%error, "a thread does not give way");
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[tokio::test]
    async fn what_is_spawned_runs_there_and_gives_way() {
        let aside = Aside::start("aside").unwrap();
        let spawning = async { tokio::spawn(async { (thread::current().name() == Some("aside"), nice()) }).await };
        let there = spawning_on(&aside.handle(), spawning).await.unwrap();
        let here = nice();
        let expected = if cfg!(target_os = "linux") { here + NICER } else { here };
        assert_eq!(there, (true, expected));
        assert_eq!(spawning_on(&aside.handle(), async { nice() }).await, here, "the future itself stays here");
    }

    fn nice() -> i32 {
        rustix::process::getpriority_process(None).unwrap()
    }
}
