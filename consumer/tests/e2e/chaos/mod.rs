//! Faults under a steady load, and a checker that knows the id of everything that was accepted.
//!
//! A trial is a load, those who watch and a checker around one [`Stack`]; a file of this folder holds the trials of one kind of fault:
//!
//! ```text
//! let stack = Stack::start_with(mode, settings).await;             // with more nodes in it, where the fault is between nodes
//! let mut trial = Trial::begin("Redis is killed", mode, stack).await;
//! for _ in 0..often(2, 20) {                                       // short form, long form (`make chaos`)
//!     trial.goes_on(100).await;                                    // so many further webhooks were accepted
//!     trial.hurts();                                               // counts a fault: what may be logged is bounded by it
//!     …                                                            // the fault, done to `trial.stack` and undone
//!     trial.heals().await;                                         // all flows again, without a hand; takes the time
//! }
//! trial.ends(&Expected { said: &[("consumer", "Redis is away")], ..Expected::default() }).await;
//! ```
//!
//! `ends` stops the load, waits until everything is delivered and seen, compares, writes a row for `docs/reliability.md` when
//! `CHAOS_REPORT` names a folder, and fails with all that is wrong. Random numbers come from `trial.dice`, seeded by `CHAOS_SEED`.
//! [`ready`] has what `/readyz` should say meanwhile, [`Load::refusals`] what the senders were told.

mod accounts;
mod audience;
mod bad_receiver;
mod bystander;
mod checker;
mod clocks;
mod commands;
mod crowd;
mod cut_off;
mod disk;
mod fake_clock;
mod kills;
mod load;
mod postgres;
mod producers;
mod proxy;
mod ready;
mod receivers;
mod redis;
mod report;
mod slow;
mod stalled;
mod stalled_viewer;

use std::sync::Arc;
use std::time::{Duration, Instant};

use accounts::Accounts;
use audience::Audience;
use bystander::Bystander;
pub use checker::Expected;
use checker::Witnesses;
use load::{Load, Pace};

use crate::support::stack::{Mode, Service, Stack};
use crate::support::{Dice, PATIENCE, eventually};

/// For one stage of a trial: the programs may be unoptimised, and two trials share two cores.
pub const STAGE: Duration = Duration::from_mins(3);
/// The seed unless `CHAOS_SEED` says another one: every run makes the same faults.
const SEED: u64 = 6;

/// How many rounds: of the short form that `make test` runs, or of the long one of `make chaos`.
pub fn often(short: usize, long: usize) -> usize {
    if std::env::var("CHAOS").is_ok_and(|form| form == "long") { long } else { short }
}

/// One kind of fault, done to one stack under load.
pub struct Trial {
    pub stack: Stack,
    pub load: Load,
    pub dice: Dice,
    fault: String,
    mode: Mode,
    accounts: Arc<Accounts>,
    audience: Audience,
    bystander: Bystander,
    faults: usize,
    /// The longest time that healing took.
    recovery: Duration,
}

impl Trial {
    /// Begins with the load, an audience of every kind and a page on each consumer of the stack, and accounts at its producer.
    pub async fn begin(fault: &str, mode: Mode, stack: Stack) -> Self {
        Self::begin_at(Pace::USUAL, fault, mode, stack).await
    }

    /// The same, with a load of its own.
    pub async fn begin_at(pace: Pace, fault: &str, mode: Mode, stack: Stack) -> Self {
        let dice = Dice::seeded_by("CHAOS_SEED", SEED);
        let consumers: Vec<String> = stack.consumers().map(|service| service.url.clone()).collect();
        let producers: Vec<String> = stack.producers().map(|service| service.url.clone()).collect();
        let audience = Audience::join(&consumers);
        audience.has_joined().await;
        let bystander = Bystander::sits_down(&stack).await;
        let accounts = Arc::new(Accounts::found(&stack.client, &stack.producer.url).await);
        let load = Load::start(&consumers, &producers, accounts.clone(), pace);
        let (fault, recovery) = (fault.to_owned(), Duration::ZERO);
        let mut trial = Self { stack, load, dice, fault, mode, accounts, audience, bystander, faults: 0, recovery };
        trial.goes_on(1).await;
        trial
    }

    /// Waits until so many further webhooks were accepted.
    pub async fn goes_on(&mut self, webhooks: usize) {
        let wanted = self.load.accepted() + webhooks;
        eventually("the load goes on", STAGE, async || (self.load.accepted() >= wanted).then_some(())).await;
    }

    /// Waits for a random moment, before so many further webhooks were accepted.
    pub async fn goes_on_to_a_moment(&mut self, most: u64) {
        let moment = self.dice.between(1, most);
        self.goes_on(usize::try_from(moment).unwrap()).await;
    }

    /// Counts a fault that is about to be done.
    pub const fn hurts(&mut self) {
        self.faults += 1;
    }

    /// Waits until everything flows again, and notes how long that took: every program is ready, each takes what is sent to it, a batch
    /// is delivered, and the audience has seen what the log had when this began.
    pub async fn heals(&mut self) {
        let begun = Instant::now();
        self.all_are_ready().await;
        self.load.probe(STAGE).await;
        self.has_been_seen().await;
        self.recovery = self.recovery.max(begun.elapsed());
    }

    /// Waits until the audience has seen what the log has now.
    pub async fn has_been_seen(&self) {
        let head = self.stack.total().await.expect("a ready consumer counts");
        self.audience.has_reached(head, STAGE).await;
    }

    /// Waits until `/readyz` of every program says 200.
    pub async fn all_are_ready(&self) {
        for service in self.services() {
            ready::says(&self.stack.client, service, 200, &[]).await;
        }
    }

    /// Every program of the stack.
    pub fn services(&self) -> impl Iterator<Item = &Service> {
        self.stack.consumers().chain(self.stack.producers())
    }

    /// Stops the load, compares everything that should agree, reports, and fails with all that does not.
    pub async fn ends(self, expected: &Expected<'_>) {
        let Self { stack, load, accounts, audience, mut bystander, .. } = self;
        let sent = load.stop(STAGE).await;
        let witnesses = Witnesses { audience: &audience, bystander: &mut bystander, accounts: &accounts };
        let verdict = checker::check(&stack, &sent, witnesses, (self.faults, expected)).await;
        bystander.leaves().await;
        let run = report::Run { fault: &self.fault, mode: self.mode, faults: self.faults, recovery: self.recovery };
        report::write(&run, &verdict);
        assert!(verdict.wrong.is_empty(), "{}: {:#?}", self.fault, verdict.wrong);
    }
}

/// Kills a program and starts it again at once.
pub fn restart(service: &mut Service) {
    service.process.kill();
    service.process.start_again();
}

/// Waits until `check` is true.
pub async fn until(what: &str, mut check: impl AsyncFnMut() -> bool) {
    eventually(what, PATIENCE, async || check().await.then_some(())).await;
}
