//! The consumer: receives webhooks, keeps them in an ordered log, and shows them live.
//!
//! The path of an event: `intake` (with `sources` and their `guards`) → `log` (one writer, one commit for many) → `store` → `feed` and `bus` → `rooms` and `live` → the pages.

pub mod actions;
pub mod api;
pub mod bus;
pub mod catching_up;
pub mod config;
pub mod counts;
pub mod devices;
pub mod event;
pub mod event_id;
pub mod feed;
pub mod firing;
pub mod flow;
pub mod guards;
pub mod intake;
pub mod live;
pub mod log;
pub mod metrics;
pub mod pages;
pub mod readings;
pub mod repeats;
pub mod rereading;
pub mod retention;
pub mod rooms;
pub mod rules;
pub mod secrets;
pub mod sockets;
pub mod sources;
pub mod store;
pub mod welcome;

use std::{ops::Deref, sync::Arc, time::Duration};

use anyhow::Context;
use axum::{Router, routing::get};
use common::{
    admin::{self, Gate},
    aside::{Aside, spawning_on},
    db::{self, Db},
    edge::{Edge, guard, harden},
    openapi::describe_edge,
    outage,
    problem::Problem,
    seal::Vault,
    serve::{self, Answer},
};
use socketioxide::SocketIo;
use tokio::{net::TcpListener, runtime::Handle, sync::Semaphore, task::JoinSet, time};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    actions::screens::datasources::{Datasources, Patience},
    bus::Bus,
    catching_up::CatchingUp,
    config::Config,
    feed::Feed,
    live::Audience,
    log::Log,
    metrics::Metrics,
    rereading::Rereadings,
    sources::Registry,
};

/// How often the log is asked for a head that moved without news.
const POLL_ALONE: Duration = Duration::from_secs(5);
const POLL_AMONG_NODES: Duration = Duration::from_millis(500);
/// What is left to do when nobody is served any more may take this long.
const GRACE: Duration = Duration::from_secs(3);

/// What the handlers work with; a clone is the same.
#[derive(Clone)]
pub struct App(Arc<Services>);

impl Deref for App {
    type Target = Services;

    fn deref(&self) -> &Services {
        &self.0
    }
}

/// The parts of a running consumer.
pub struct Services {
    pub config: Config,
    pub db: Db,
    pub log: Log,
    pub feed: Arc<Feed>,
    pub bus: Bus,
    pub metrics: Arc<Metrics>,
    pub receiving: intake::Receiving,
    /// The names that came in by themselves.
    pub sources: intake::Sources,
    /// The sources that are configured.
    pub registry: Registry,
    pub edge: Edge,
    pub gate: Gate,
    pub vault: Vault,
    pub audience: Audience,
    pub rereadings: Rereadings,
    /// Who may call actions.
    pub doors: actions::Doors,
    /// The devices that obey and are connected here.
    pub fleet: actions::Fleet,
    /// What the cards of screens are filled from.
    pub datasources: Datasources,
    /// Places for sockets.
    pub sockets: Arc<Semaphore>,
    /// The log for sockets that are far behind.
    pub catching_up: CatchingUp,
    pub tasks: TaskTracker,
    pub stop: CancellationToken,
}

impl Services {
    /// For how long a device of the source may be silent: the source's own time, else the usual one.
    #[must_use]
    pub fn stale_after(&self, source: &str) -> Duration {
        let own_s = self.registry.get(source).and_then(|source| source.stale_after_s);
        own_s.and_then(|seconds| u64::try_from(seconds).ok()).map_or(self.config.stale_after, Duration::from_secs)
    }
}

/// Serves until `stop`; then takes nothing new, finishes what is under way, commits what is queued, and closes the database.
///
/// # Errors
/// When the database cannot be opened or a setting is wrong.
pub async fn run(config: Config, listener: TcpListener, stop: CancellationToken) -> anyhow::Result<()> {
    let db = db::open(&config.database_url, config.common.durability, &sqlx::migrate!()).await?;
    let feed = Feed::load(&db).await.context("cannot read the log")?;
    let tasks = TaskTracker::new();
    let bus = bus::connect(&config, &db, &feed, (&tasks, &stop)).await?;
    let metrics = Arc::new(Metrics::default());
    let (log, writer, teller) = Log::new(config.intake_queue, db.clone(), feed.clone(), bus.clone(), metrics.clone());
    let closing_log = CancellationToken::new();
    let mut vital = JoinSet::new();
    vital.spawn(writer.run(closing_log.clone()));
    vital.spawn(teller.run());
    let listen = listener.local_addr()?;
    let gate = Gate::new("consumer", listen, &config.common, (&db, &config.database_url)).await?;
    let edge = Edge::new(listen, &config.common);
    let vault = Vault::new(&admin::secret_key(&config.common, &db, &config.database_url).await?);
    let sources_file = config.sources_file();
    let registry = Registry::load(db.clone(), vault.clone(), sources_file, config.max_sources).await?;
    let (fleet, reports) = actions::Fleet::new();
    let (sockets, catching_up) = (Arc::new(Semaphore::new(sockets::MAX_SOCKETS)), CatchingUp::default());
    let rereadings = Rereadings::new(db.clone(), feed.clone(), tasks.clone(), stop.clone());
    let (audience, max_sources) = (Audience::default(), config.max_sources);
    let datasources = Datasources::new(config.policy(listen).into(), Patience::default())?;
    let services = Services {
        config,
        db,
        log,
        feed,
        bus,
        metrics,
        receiving: intake::Receiving::default(),
        sources: intake::Sources::new(max_sources),
        registry,
        edge,
        gate,
        vault,
        audience,
        rereadings,
        doors: actions::Doors::default(),
        fleet,
        datasources,
        sockets,
        catching_up,
        tasks,
        stop,
    };
    let app = App(Arc::new(services));
    keep_up(&app, &mut vital);
    actions::start(&app, reports, &mut vital);

    tracing::info!(listen = %listen, "consumer is at http://{listen}/");
    let (viewers, (router, io)) = (Aside::start("viewers")?, router(&app));
    app.tasks.spawn(sockets::close(io, app.stop.clone()));
    let serving = serve::run(listener, front(app.clone(), router, viewers.handle()), app.stop.clone());
    let served = serve_while(serving, &mut vital, &app.stop).await;
    closing_log.cancel();
    if time::timeout(GRACE, finish(&app, vital)).await.is_err() {
        tracing::warn!("gave up on what did not end in time; who was not answered sends again");
    }
    tracing::info!("consumer has stopped");
    served
}

/// Serves until the end; when a vital part ends before that, so does the service, with an error.
async fn serve_while(
    serving: impl Future<Output = ()>,
    vital: &mut JoinSet<()>,
    stop: &CancellationToken,
) -> anyhow::Result<()> {
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        () = &mut serving => return Ok(()),
        ended = vital.join_next() => ended,
    };
    let expected = stop.is_cancelled();
    stop.cancel();
    serving.await;
    match ended {
        Some(Err(error)) => Err(error).context("a vital part of the service failed"),
        _ if expected => Ok(()),
        _ => anyhow::bail!("a vital part of the service ended by itself"),
    }
}

async fn finish(app: &App, mut vital: JoinSet<()>) {
    app.tasks.close();
    app.tasks.wait().await;
    while vital.join_next().await.is_some() {}
    app.db.close().await;
}

fn keep_up(app: &App, vital: &mut JoinSet<()>) {
    let alone = app.db.kind == db::Kind::Sqlite;
    let poll = if alone { POLL_ALONE } else { POLL_AMONG_NODES };
    let (feed, db, stop) = (app.feed.clone(), app.db.clone(), app.stop.clone());
    vital.spawn(async move { feed.keep_whole(&db, poll, stop).await });
    let (feed, db, stop, audience) = (app.feed.clone(), app.db.clone(), app.stop.clone(), app.audience.clone());
    let is_followed = move || audience.is_followed();
    app.tasks.spawn(async move { repeats::follow(db, feed, is_followed, stop).await });
    let (following, stop) = (app.clone(), app.stop.clone());
    app.tasks.spawn(async move { following.registry.follow(stop).await });
    app.tasks.spawn(app.db.clone().keep_log_short(app.stop.clone()));
    app.tasks.spawn(retention::run(app.db.clone(), app.feed.clone(), app.config.retention, app.stop.clone()));
}

/// Webhooks from programs go straight to the intake: the router and its layers cost more than storing an event. What is sent to sockets is written on
/// threads that give way to it: a crowd of viewers slows no sender.
fn front(app: App, router: Router, viewers: Handle) -> Answer {
    let by_router = serve::by_router(router);
    // Before the layer that takes every OPTIONS for a browser's.
    let handshakes = serve::by_router(intake::handshake::routes().with_state(app.clone()));
    Arc::new(move |request| {
        if intake::is_plain(&request) {
            Box::pin(intake::take_plain(app.clone(), request))
        } else if intake::handshake::is_one(&request) {
            handshakes(request)
        } else if request.uri().path().starts_with(sockets::PATH) {
            let (viewers, answering) = (viewers.clone(), by_router(request));
            Box::pin(async move { spawning_on(&viewers, answering).await })
        } else {
            by_router(request)
        }
    })
}

/// The intake behind the least layers; everything else behind the gate and all of them; the sockets beside both.
fn router(app: &App) -> (Router, SocketIo) {
    let (api, mut document) = api::routes_and_document();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    let (admin, described) = actions::admin::routes_and_document();
    document.merge(described);
    describe_edge(&mut document);
    let document = axum::Json(document);
    let guarded = api.merge(admin).merge(pages::routes()).route("/openapi.json", get(async move || document.clone()));
    let open = Router::new()
        .route("/healthz", get(async || "OK"))
        .route("/readyz", get(api::ready))
        .route("/metrics", get(api::metrics))
        .merge(actions::public::routes())
        .merge(actions::screens::routes())
        .merge(pages::open_routes())
        .merge(assets::router());
    let pages =
        app.gate.guard(guarded.with_state(app.clone())).merge(open.with_state(app.clone())).merge(app.gate.routes());
    let pages = harden(outage::told(pages, &app.db).fallback(async || Problem::not_found("such page")), pages::SITES);
    let intake = intake::routes().method_not_allowed_fallback(async || {
        Problem::new(http::StatusCode::METHOD_NOT_ALLOWED, "Send webhooks here by POST.")
    });
    let (layer, io) = sockets::layer();
    sockets::open(&io, app);
    // Everything becomes a service before the layer comes around it: a fallback that is still a handler would be wrapped anew
    // for each request, each time in a socket.io server of its own that knows no session.
    let all = intake.with_state(app.clone()).merge(pages).with_state(()).layer(layer);
    (guard(allow_origins(all, app), &app.edge), io)
}

/// Other people's pages may read and connect when their origin is named.
fn allow_origins(router: Router, app: &App) -> Router {
    let named = &app.config.common.allowed_origins;
    if named.is_empty() {
        return router;
    }
    let origins = named.iter().filter_map(|origin| origin.trim_end_matches('/').parse().ok());
    let layer = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins))
        .allow_methods([http::Method::GET, http::Method::POST]);
    router.layer(layer.allow_headers([http::header::CONTENT_TYPE]).allow_credentials(true))
}
