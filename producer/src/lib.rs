//! The producer: whatever happens is queued as deliveries, and delivered as webhooks.

pub mod accounts;
mod api;
pub mod canonical;
pub mod cli;
pub mod config;
mod delivery;
mod ending;
mod extract;
mod filter;
mod hand;
mod handshake;
mod metrics;
mod news;
mod pages;
mod progress;
mod receiver;
mod report;
mod service;
mod snippets;
mod sources;
mod store;
mod trigger;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Context;
use axum::Router;
use common::{
    admin::{self, Gate},
    config::is_loopback,
    db,
    edge::{self, Edge},
    guard::Policy,
    guesses::Guesses,
    outage,
    seal::Vault,
    serve,
    time::now_ms,
};
use tokio::{net::TcpListener, sync::Notify};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use config::Settings;
use delivery::attempt::Sender;
use hand::Hand;
use handshake::Handshake;
use metrics::Metrics;
use news::{Inbox, News};
use progress::Wake;
use sources::devices::{self, board::Board};
use store::{Store, presence::Presence};

/// What every handler and task shares.
#[derive(Clone)]
pub struct App {
    pub settings: Arc<Settings>,
    pub store: Store,
    /// Where may be connected to.
    pub policy: Arc<Policy>,
    /// Asks accounts' endpoints.
    pub handshake: Arc<Handshake>,
    /// Opens the accounts' keys.
    pub vault: Arc<Vault>,
    /// Wrong API keys of accounts.
    pub guesses: Arc<Guesses>,
    /// What sessions of accounts are signed with.
    pub session_key: Arc<str>,
    /// Wakes the worker: something is due now.
    pub work: Arc<Notify>,
    /// Takes what is sent at once.
    pub hand: Hand,
    /// Wakes whoever follows a batch.
    pub progress: Wake,
    /// Tells other producers on the same database.
    pub news: News,
    pub metrics: Arc<Metrics>,
    /// How the sources of devices are doing.
    pub devices: Arc<Board>,
    /// Differs between any two that do not share a database.
    pub installation: Arc<str>,
    pub stop: CancellationToken,
    _presence: Arc<Presence>,
}

impl App {
    /// Opens the database; `listen` is where the service really listens, for what follows from it.
    ///
    /// # Errors
    /// When settings contradict each other or the database cannot be opened.
    pub async fn open(settings: Settings, listen: SocketAddr, stop: CancellationToken) -> anyhow::Result<Self> {
        settings.check()?;
        let db = db::open(&settings.database_url, settings.common.durability, &store::MIGRATIONS).await?;
        let policy: Arc<Policy> =
            Policy { allowed: settings.allow_targets.clone(), loopback: is_loopback(listen) }.into();
        let handshake = Handshake::new(&settings, &policy)?;
        let (work, progress) = (Arc::new(Notify::new()), Wake::default());
        let installation = db.setting("installation", &common::key::random_hex(8)).await?;
        let inbox = Inbox { work: Arc::clone(&work), progress: progress.clone() };
        let news =
            News::start(common::config::given(settings.common.broker_url.as_ref()), &installation, inbox, &stop)?;
        let store = Store::new(db);
        store.go_on_with_ids().await?;
        let presence = store.enter(&settings.database_url, now_ms()).await?;
        let secret = admin::secret_key(&settings.common, &store.db, &settings.database_url).await?;
        let vault = Vault::new(&secret);
        accounts::check_secret_key(&store, &vault).await?;
        Ok(Self {
            vault: vault.into(),
            guesses: Guesses::new(accounts::GUESSES).into(),
            session_key: common::key::mac(&secret, "account sessions").into(),
            settings: settings.into(),
            store,
            handshake: handshake.into(),
            policy,
            work,
            hand: Hand::default(),
            progress,
            news,
            metrics: Metrics::new().into(),
            devices: Arc::default(),
            installation: installation.into(),
            stop,
            _presence: presence.into(),
        })
    }

    /// Something was put in the queue, here and now.
    pub fn queued(&self) {
        self.work.notify_one();
        self.news.queued();
    }

    /// These moved: a batch; or a delivery of an account (`delivery:` and its id), or an account (`account:` and its id).
    pub fn moved(&self, what: &[String]) {
        for one in what {
            self.progress.moved(one);
        }
        self.news.moved(what);
    }
}

/// Serves and delivers until `stop` is cancelled, then finishes what is under way.
///
/// # Errors
/// When the service cannot start (a setting, the database, or TLS), when a part of it died, and when it could not end in time.
pub async fn run(settings: Settings, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    let listen = listener.local_addr().context("the listener has no address")?;
    let sources = settings.devices()?;
    let app = App::open(settings, listen, stop).await?;
    accounts::ensure_admin(&app.store, &app.vault).await?;
    let sender = Sender::new(&app.settings, Arc::clone(&app.policy), Arc::clone(&app.vault))?;
    let gate = Gate::new("producer", listen, &app.settings.common, (&app.store.db, &app.settings.database_url)).await?;
    let router = router(&app, &gate, &Edge::new(listen, &app.settings.common));
    tracing::info!("producing at http://{listen}/ for {}", receiver::place(app.settings.webhook_receiver_url.as_str()));
    let reading = TaskTracker::new();
    devices::start(&app, sources, &reading).await?;
    reading.close();
    let delivering = ending::supervised(&app.stop, delivery::run(app.clone(), sender));
    ending::in_time(&app.stop, async {
        serve::run(listener, serve::by_router(router), app.stop.clone()).await;
        // The server may also end by itself; the worker ends with it.
        app.stop.cancel();
        reading.wait().await;
        delivering.await.context("the delivery worker ended badly")??;
        app.store.db.close().await;
        Ok(())
    })
    .await
}

fn router(app: &App, gate: &Gate, edge: &Edge) -> Router {
    let (open, guarded, mut openapi) = api::routes();
    let guarded = pages::beside(guarded, app).with_state(app.clone());
    let (accounts, accounts_api) = api::v1::routes(app);
    openapi.merge(accounts_api);
    let open = open.merge(api::openapi::route(openapi)).merge(pages::docs::route()).merge(pages::account::routes());
    let open = open.with_state(app.clone()).merge(accounts);
    let router = gate.guard(guarded).merge(gate.routes()).merge(open).merge(assets::router());
    let router = outage::told(router, &app.store.db)
        .fallback(api::not_found)
        .method_not_allowed_fallback(api::method_not_allowed);
    edge::guard(edge::harden(router, pages::SITES), edge)
}

#[cfg(test)]
mod fuzz;
