//! One connection to a controller: held by this node alone, asked for its state again and again, and given the commands in order.

use std::time::Duration;

use anyhow::ensure;
use common::{db, evok::Connection, time::now_ms};
use tokio::time::{self, Instant, Interval, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{outlet::Outlets, pulses::Pulse};
use crate::{
    App,
    actions::{
        devices::LEASE_MS,
        orders::{self, Orders},
        outputs::Controller,
    },
    store::actions::{
        commands::{Command, News},
        controllers,
        devices::{Device, Presence},
    },
};

/// Between two pings; who said nothing from one to the next is gone.
const PING: Duration = Duration::from_secs(5);

/// A connection that counts.
pub struct Session<'a> {
    pub app: &'a App,
    pub device: Device,
    /// What this connection is called in the table.
    pub id: String,
    pub controller: &'a Controller,
    pub outlets: Outlets,
    pub pulses: Vec<Pulse>,
    /// When the emergency output is looked at next.
    pub alarm: Option<Instant>,
    orders: Orders,
}

/// What comes next.
enum Next {
    Order(Option<Box<Command>>),
    Heard,
    Due,
    Ping,
}

/// Whether other nodes may hold a controller; alone, what holds it is this program before it ended.
pub fn is_shared(app: &App) -> bool {
    app.db.kind == db::Kind::Postgres
}

/// Connects, and holds the controller; `None`: it is not to be, as another node does, or at `end`. With what ends the session.
pub async fn open<'a>(
    app: &'a App,
    id: &str,
    controller: &'a Controller,
    end: &CancellationToken,
) -> anyhow::Result<Option<(Session<'a>, CancellationToken)>> {
    let url = controller.address().map_err(anyhow::Error::msg)?;
    let connected = end.run_until_cancelled(async { Outlets::read(Connection::open(&url).await?).await });
    let Some(outlets) = connected.await.transpose()? else { return Ok(None) };
    let (session, now_ms) = (Uuid::new_v4().to_string(), now_ms());
    let here = Presence { session: &session, node: &app.fleet.node, now_ms, until_ms: now_ms + LEASE_MS };
    let free_ms = if is_shared(app) { now_ms } else { i64::MAX };
    let Some(device) = controllers::hold(&app.db, id, here, free_ms).await? else { return Ok(None) };
    let ended = end.child_token();
    // What was acknowledged is judged by what is read, so it is not given again.
    let orders = Orders::new(id, i64::MAX, app.fleet.join(id, &session, ended.clone()));
    let (pulses, alarm) = (Vec::new(), None);
    Ok(Some((Session { app, device, id: session, controller, outlets, pulses, alarm, orders }, ended)))
}

impl Session<'_> {
    /// Serves the controller until the connection breaks or `ended`.
    pub async fn serve(mut self, ended: &CancellationToken) -> anyhow::Result<()> {
        let served = ended.run_until_cancelled(self.run()).await;
        self.forsake().await;
        orders::leave(self.app, &self.device.id, &self.id).await;
        served.unwrap_or(Ok(()))
    }

    async fn run(&mut self) -> anyhow::Result<()> {
        self.recover().await?;
        self.follow_alarm().await?;
        let mut ping = interval(PING);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ping.tick().await;
        loop {
            match self.next(&mut ping).await? {
                Next::Order(None) => return Ok(()),
                Next::Order(Some(command)) => self.obey(&command).await?,
                Next::Heard => {}
                Next::Due => {
                    self.take_back_due().await?;
                    if self.alarm.is_some_and(|at| at <= Instant::now()) {
                        self.follow_alarm().await?;
                    }
                }
                Next::Ping => {
                    ensure!(self.outlets.was_heard(), "the controller said nothing for {PING:?}");
                    self.outlets.ask().await?;
                }
            }
        }
    }

    async fn next(&mut self, ping: &mut Interval) -> anyhow::Result<Next> {
        let due = self.pulses.iter().map(|pulse| pulse.due).chain(self.alarm).min();
        Ok(tokio::select! {
            // What was said already is heard before silence is held against the controller.
            biased;
            heard = self.outlets.hear() => heard.map(|()| Next::Heard)?,
            () = until(due) => Next::Due,
            order = self.orders.next(&self.app.db) => Next::Order(order?.map(Box::new)),
            _ = ping.tick() => Next::Ping,
        })
    }

    /// Stores what became of a command; gives whether that moved it.
    pub async fn report(&self, number: i64, at_ms: i64, news: News) -> anyhow::Result<bool> {
        let mut report = orders::report((&self.device.id, &self.id), number, news);
        report.at_ms = at_ms;
        let told = self.app.fleet.report(report).await;
        Ok(told.ok_or_else(|| anyhow::anyhow!("what became of a command is not stored"))?.moved)
    }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => time::sleep_until(due).await,
        None => std::future::pending().await,
    }
}
