//! The devices that are connected to this node, and the way of a command to them.
//!
//! The table has the commands; a wake-up only says that there is something new in it. Each device has a line of its own, which is filled here.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use common::{db, key};
use tokio::{
    sync::{Notify, mpsc, oneshot, watch},
    time,
};
use tokio_util::sync::CancellationToken;

use super::screens::showing::Said;
use crate::{
    App,
    store::actions::commands::{self, Command, Report, Told},
};

/// Commands that may wait in a device's line; who is further behind connects again and gets them from the table.
const LINE: usize = 64;
/// Reports of devices that may wait for their commit.
const REPORTS: usize = 8192;
/// Reports of one commit.
const MAX_COMMIT: usize = 512;
/// How often the table is asked without news. Between nodes the log's news come first: each execution is an event of it.
const POLL_ALONE: Duration = Duration::from_secs(5);
const POLL_AMONG_NODES: Duration = Duration::from_millis(500);
/// Between two looks, however many events the log gets.
const PAUSE: Duration = Duration::from_millis(20);
const WAIT_AFTER_ERROR: Duration = Duration::from_millis(200);

/// The devices of one node.
pub struct Fleet {
    /// What this node is called in the table.
    pub node: String,
    lines: Mutex<HashMap<String, Line>>,
    woken: Notify,
    news: watch::Sender<()>,
    reports: mpsc::Sender<Waiting>,
    /// What devices say that they show.
    pub(super) said: Said,
}

/// The way to one connected device.
pub struct Line {
    pub session: String,
    pub commands: mpsc::Sender<Command>,
    /// Ends the connection.
    pub end: CancellationToken,
}

/// A report, and who waits for what becomes of it.
pub type Waiting = (Report, Option<oneshot::Sender<Told>>);

impl Fleet {
    /// A fleet without devices, and the queue that [`store_reports`] takes from.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Waiting>) {
        let (reports, queue) = mpsc::channel(REPORTS);
        let (lines, woken, news) = (Mutex::default(), Notify::new(), watch::Sender::new(()));
        (Self { node: key::random_hex(8), lines, woken, news, reports, said: Said::default() }, queue)
    }

    /// There may be something new in the table.
    pub fn wake(&self) {
        self.woken.notify_one();
    }

    /// Something of the devices is to be seen that was not.
    pub fn moved(&self) {
        self.news.send_replace(());
    }

    /// Tells when something of the devices moved, as far as this node knows.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// Opens a line; an older connection of the device is ended. Gives the end at which commands come out.
    pub fn join(&self, device: &str, session: &str, end: CancellationToken) -> mpsc::Receiver<Command> {
        let (commands, line) = mpsc::channel(LINE);
        let opened = Line { session: session.to_owned(), commands, end };
        if let Some(before) = self.lines().insert(device.to_owned(), opened) {
            before.end.cancel();
        }
        self.moved();
        line
    }

    /// Closes the line of this connection.
    pub fn leave(&self, device: &str, session: &str) {
        let mut lines = self.lines();
        if lines.get(device).is_some_and(|line| line.session == session) {
            lines.remove(device);
        }
    }

    /// Ends the connection of a device, if it is here.
    pub fn end(&self, device: &str) {
        if let Some(line) = self.lines().get(device) {
            line.end.cancel();
        }
    }

    /// The connections, as (device, connection).
    #[must_use]
    pub fn connections(&self) -> Vec<(String, String)> {
        self.lines().iter().map(|(device, line)| (device.clone(), line.session.clone())).collect()
    }

    /// Hands in a report and waits for its commit; `None`: it is not stored, and has to be said again.
    pub async fn report(&self, report: Report) -> Option<Told> {
        let (answer, told) = oneshot::channel();
        self.reports.try_send((report, Some(answer))).ok()?;
        told.await.ok()
    }

    /// Hands in a report that nobody waits for; when too many wait it is left out.
    pub fn mention(&self, report: Report) {
        if self.reports.try_send((report, None)).is_err() {
            tracing::debug!("too many reports wait; one is left out");
        }
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<String, Line>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a command into its device's line, if the device is here.
    fn offer(&self, command: Command) {
        let lines = self.lines();
        let Some(line) = lines.get(&command.device) else { return };
        if line.commands.try_send(command).is_err() {
            line.end.cancel();
        }
    }
}

/// Hands new commands of the table to the devices that are here, until `stop`.
pub async fn dispatch(app: App, stop: CancellationToken) {
    let among_nodes = app.db.kind == db::Kind::Postgres;
    let poll = if among_nodes { POLL_AMONG_NODES } else { POLL_ALONE };
    let (mut log, mut reached) = (app.feed.watch(), 0);
    loop {
        // Before the look: what comes during it is seen by the next one.
        log.mark_unchanged();
        if let Err(error) = look(&app, &mut reached).await {
            app.db.failed(&error, "cannot read the commands");
            time::sleep(WAIT_AFTER_ERROR).await;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = app.fleet.woken.notified() => {}
            Ok(()) = log.changed(), if among_nodes => {}
            () = time::sleep(poll) => {}
        }
        time::sleep(PAUSE).await;
    }
}

/// Numbers are given in the order of commits, so everything up to the head is there.
async fn look(app: &App, reached: &mut i64) -> sqlx::Result<()> {
    if app.fleet.lines().is_empty() {
        return Ok(());
    }
    let head = commands::head(&app.db).await?;
    if head == *reached {
        return Ok(());
    }
    let mut at = (*reached + 1, String::new());
    loop {
        let some = commands::since(&app.db, at.0, &at.1).await?;
        let Some(last) = some.last() else { break };
        at = (last.number, last.device.clone());
        for command in some {
            app.fleet.offer(command);
        }
    }
    *reached = head.max(at.0);
    Ok(())
}

/// Stores what devices report, many in one commit, until nobody can report any more or `stop`.
pub async fn store_reports(app: App, mut queue: mpsc::Receiver<Waiting>, stop: CancellationToken) {
    loop {
        let mut some = Vec::new();
        tokio::select! {
            () = stop.cancelled() => return,
            _ = queue.recv_many(&mut some, MAX_COMMIT) => {}
        }
        if some.is_empty() {
            return;
        }
        let (reports, answers): (Vec<_>, Vec<_>) = some.into_iter().unzip();
        match commands::report(&app.db, &reports).await {
            Ok(told) => {
                tell(answers, told);
                app.fleet.moved();
            }
            Err(error) => {
                app.db.failed(&error, "cannot store what devices report; they are told to say it again");
                time::sleep(WAIT_AFTER_ERROR).await;
            }
        }
    }
}

fn tell(answers: Vec<Option<oneshot::Sender<Told>>>, told: Vec<Told>) {
    for (answer, told) in answers.into_iter().zip(told) {
        if let Some(answer) = answer {
            // A device that has gone away asks again when it is back.
            let _ = answer.send(told);
        }
    }
}
