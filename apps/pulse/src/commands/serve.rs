//! `pulse serve`: the shop.
//!
//! **Invariant.** The listeners are bound before anything is opened, so a port in use costs nothing; it is ready only
//! when every room is; the end stops accepting first and closes the database last.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use otp::{Strategy, Supervisor, SupervisorRef};
use pulse_core::Role;
use pulse_data::audit::Sealer;
use pulse_data::{Repo, Sql as _};
use pulse_ingest::demo::{Visits, visit};
use pulse_obs::{Health, Metrics, Telemetry, ops_router};
use pulse_web::{AppState, ServeOptions, Web, WebConfig};
use tokio::net::TcpListener;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::{backup, demo, user};
use crate::background::{Lasting, Periodic};
use crate::cli::Serve;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::feeds;
use crate::rooms::{self, Rooms};
use crate::signals::Stop;
use crate::{effects, measure, notify, output, secrets, shop};

/// Where the shop listens, and how it is watched.
struct Doors {
    listener: TcpListener,
    here: SocketAddr,
    ops: SocketAddr,
    public_url: String,
    metrics: Metrics,
    health: Health,
}

pub(super) async fn run(config: &Config, wanted: &Serve, telemetry: &Telemetry) -> Result<(), Failure> {
    let stop = Stop::listen("closing the shop; once more ends it at once");
    let (listener, here) = bind(config.server.listen, "server.listen").await?;
    let (ops_listener, ops) = bind(config.server.ops_listen, "server.ops_listen").await?;
    let (metrics, health) = (Metrics::new(measure::BUILD), Health::new());
    measure::export(&metrics, &telemetry.export_stats());
    let end = CancellationToken::new();
    let watching = tokio::spawn({
        let router = ops_router(metrics.clone(), health.clone());
        let options =
            ServeOptions { connections: 64, drain_time: Duration::from_secs(1), ..ServeOptions::default() };
        pulse_web::serve_with(ops_listener, router, end.clone().cancelled_owned(), options)
    });
    let public_url = config.server.public_url.clone().unwrap_or_else(|| format!("http://{here}"));
    let doors = Doors { listener, here, ops, public_url, metrics, health };
    let repo = shop::open_migrated(config, wanted.migrate).await?;
    let result = trade(config, wanted, &stop, doors, &repo).await;
    repo.close().await;
    end.cancel();
    let _ = watching.await;
    result
}

async fn bind(address: SocketAddr, key: &str) -> Result<(TcpListener, SocketAddr), Failure> {
    let failed = |error: std::io::Error| match error.kind() {
        std::io::ErrorKind::AddrInUse => Failure::new(
            Exit::Temporary,
            format!(
                "{address} is in use: stop what listens there (a running shop?), or set {key} to another"
            ),
        ),
        _ => Failure::new(
            Exit::Failure,
            format!("can't listen on {address}: {error}; set {key} to an address of this machine"),
        ),
    };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Opens the rooms, trades until the end is wished or a room can't go on, closes the rooms.
async fn trade(
    config: &Config,
    wanted: &Serve,
    stop: &Stop,
    doors: Doors,
    repo: &Repo,
) -> Result<(), Failure> {
    let rooms = Rooms::open(config, repo, &doors.public_url).await?;
    let Doors { listener, here, ops, public_url, metrics, health } = doors;
    let engine = effects::engine(config, &rooms)?;
    measure::store(&metrics, repo);
    measure::fleet(&metrics, &rooms);
    let ran = engine.stats();
    measure::jobs(&metrics, move || ran.snapshot());
    measure::effects(&metrics, &rooms.effects);
    let waiting = feeds::Waiting::default();
    measure::feeds(&metrics, &rooms, &waiting);
    let secrets = secrets::load(&config.secrets_file())?;
    let web_config = WebConfig { secrets, ..rooms::web_config(config, public_url) };
    let state = AppState::new(rooms.web(), web_config);
    measure::caches(&metrics, &rooms, &state);
    watch_database(&health, repo);

    let web = Web::open(state.clone()).await.map_err(|error| Failure::failed(error.to_string()))?;
    measure::pages(&metrics, &web);
    let crew = crew(config, &rooms, &waiting, state).await?;
    let running = engine.start();
    let closing = CancellationToken::new();
    let drain = Duration::from_secs(config.server.drain_seconds);
    let serving = tokio::spawn({
        let router = web.router().layer(metrics.http_layer());
        let options = ServeOptions { drain_time: drain, ..ServeOptions::default() };
        pulse_web::serve_with(listener, router, closing.clone().cancelled_owned(), options)
    });
    let opened = async {
        if wanted.demo {
            open_demo(&rooms, &crew).await?;
        }
        // Before it is said: whoever reads the line may ask at once.
        health.serving();
        welcome(repo, config, here, ops)
    };
    let result = match opened.await {
        Ok(()) => {
            notify::ready();
            tracing::info!(%here, %ops, "open");
            tokio::select! {
                () = stop.wished() => Ok(()),
                exit = crew.server_ref().exited() => {
                    Err(Failure::failed(format!("the shop's background work failed again and again ({exit:?}): see the log")))
                }
            }
        }
        Err(failure) => Err(failure),
    };

    health.draining();
    notify::stopping();
    let deadline = Instant::now() + drain;
    closing.cancel();
    // Browsers of open pages go elsewhere, or come back to the next start of the shop.
    let pages = web.drain(drain).await;
    let served = serving.await;
    let left = || deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
    let carts = rooms.door.fleet().shutdown(left()).await;
    let jobs = running.drain(left()).await;
    // Last, so that it seals what the others have just written.
    crew.stop().await;
    tracing::info!(pages, carts, jobs = jobs.clean, "closed");
    match served {
        Ok(Ok(())) => result,
        Ok(Err(error)) => result.and(Err(Failure::failed(format!("serving failed: {error}")))),
        Err(_) => result.and(Err(Failure::failed("serving crashed: see the log"))),
    }
}

fn watch_database(health: &Health, repo: &Repo) {
    let repo = repo.clone();
    health.check("database", move || {
        let repo = repo.clone();
        async move {
            let answer = repo.reader().row("SELECT 1 AS one", vec![]).await;
            answer.map(|_| ()).map_err(|error| error.to_string())
        }
    });
}

/// What runs beside the requests, supervised.
async fn crew(
    config: &Config,
    rooms: &Rooms,
    waiting: &feeds::Waiting,
    state: AppState,
) -> Result<SupervisorRef, Failure> {
    let sealer = Sealer::new(rooms.repo.clone());
    let seal = Periodic::every(Duration::from_secs(config.audit.seal_seconds), "audit sealer", move || {
        let sealer = sealer.clone();
        async move { sealer.seal().await.map(|_| ()).map_err(|error| error.to_string()) }
    });
    let (following, turning) = (rooms.clone(), state.clone());
    let supervisor = Supervisor::new(Strategy::OneForOne);
    feeds::attend(supervisor, config, rooms, waiting)
        .child("audit-sealer", seal.and_at_the_end().spec())
        .child(
            "cache-follower",
            Lasting::spec(move || {
                let rooms = following.clone();
                async move { rooms.follow_changes().await }
            }),
        )
        .child(
            "news-of-products",
            Lasting::spec(move || {
                let state = state.clone();
                async move { state.follow_products().await }
            }),
        )
        .child(
            "turns-of-promotions",
            Lasting::spec(move || {
                let state = turning.clone();
                async move { state.follow_promotions().await }
            }),
        )
        .start()
        .await
        .map_err(|exit| Failure::failed(format!("the shop's background work can't start: {exit:?}")))
}

/// Fills an empty shop, and lets shoppers in.
async fn open_demo(rooms: &Rooms, crew: &SupervisorRef) -> Result<(), Failure> {
    const SEED: u64 = 1;
    let mut goods = demo::some_goods(rooms).await?;
    if goods.is_empty() {
        goods = demo::make_goods(rooms, SEED, 500).await?;
        let password = user::draw_password();
        user::add(rooms, "admin@example.com", &password, Role::Admin).await?;
        output::line(format!(
            "demo     {} products; sign in as admin@example.com, password {password} (shown once)",
            goods.len()
        ))?;
    }
    let shoppers = demo::shoppers(rooms, SEED, goods);
    let door = rooms.door.clone();
    let strolling = Lasting::spec(move || {
        let (door, shoppers) = (door.clone(), shoppers.clone());
        async move { visit(&door, &shoppers, &Arc::new(Visits::default()), &CancellationToken::new()).await }
    });
    crew.start_child("demo-shoppers", strolling)
        .await
        .map(|_| ())
        .map_err(|error| Failure::failed(format!("the demo's shoppers can't start: {error}")))
}

/// Says where to look. One line each, so that programs can read it too.
fn welcome(repo: &Repo, config: &Config, here: SocketAddr, ops: SocketAddr) -> Result<(), Failure> {
    let database = backup::named(repo.backend());
    output::line(format!("data     {database} at {}", pulse_obs::redact::url(&config.database_url())))?;
    output::line(format!("shop     http://{here}/"))?;
    output::line(format!("api      http://{here}/api/docs"))?;
    output::line(format!("metrics  http://{ops}/metrics"))?;
    output::line(format!("health   http://{ops}/readyz"))?;
    output::line("open     ctrl-C closes the shop")
}
