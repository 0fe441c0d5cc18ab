//! Wires the rooms of the shop together, the same way for every command.
//!
//! **Invariant.** There is one stream of changes, one clock and one fleet a process; only this file knows which adapter
//! stands behind which port.

use std::sync::Arc;
use std::time::Duration;

use pulse_cache::{CatalogueCache, CatalogueOptions};
use pulse_core::ports::{Catalogue, Clock, OrderDesk};
use pulse_data::accounts::{AccountOptions, Accounts};
use pulse_data::audit::Sealer;
use pulse_data::background::Background;
use pulse_data::carts::Carts;
use pulse_data::catalog::Catalog;
use pulse_data::feeds::Feeds;
use pulse_data::imports::Imports;
use pulse_data::orders::Orders;
use pulse_data::reminders::Reminders;
use pulse_data::webhooks::Webhooks;
use pulse_data::{Repo, SystemClock};
use pulse_fleet::{Fleet, FleetOptions, FleetPorts, FrontDoor};
use pulse_ingest::feed::{FeedProgress, FeedRooms};
use pulse_ingest::replay::Shop;
use pulse_jobs::{EffectStats, WakingDesk};
use pulse_web::{LocalBus, Rate, WebConfig};

use crate::config::Config;
use crate::failure::Failure;

/// Every room, wired. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Rooms {
    pub(crate) repo: Repo,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) catalog: Catalog,
    pub(crate) cache: Arc<CatalogueCache>,
    pub(crate) orders: Orders,
    pub(crate) accounts: Accounts,
    pub(crate) imports: Imports,
    pub(crate) feeds: Feeds,
    /// What the feeds of this process have done.
    pub(crate) fed: Arc<FeedProgress>,
    pub(crate) door: FrontDoor,
    pub(crate) bus: LocalBus,
    pub(crate) webhooks: Webhooks,
    pub(crate) reminders: Reminders,
    pub(crate) effects: Arc<EffectStats>,
    pub(crate) wake: jobs::Wake,
}

impl Rooms {
    /// Opens the rooms on a migrated database. `public_url` goes into mails.
    pub(crate) async fn open(config: &Config, repo: &Repo, public_url: &str) -> Result<Self, Failure> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let catalog = Catalog::new(repo.clone(), Arc::clone(&clock));
        let bus = LocalBus::new();
        let orders =
            Orders::new(repo.clone(), catalog.changes(), Arc::clone(&clock)).telling(Arc::new(bus.clone()));
        let wake = jobs::Wake::new();
        let desk: Arc<dyn OrderDesk> = Arc::new(WakingDesk::new(Arc::new(orders.clone()), wake.clone()));
        let ports = FleetPorts {
            store: Arc::new(Carts::new(repo)),
            orders: Arc::clone(&desk),
            clock: Arc::clone(&clock),
            bus: Arc::new(bus.clone()),
        };
        let options = FleetOptions {
            max_awake: config.fleet.max_awake,
            idle: Duration::from_secs(config.fleet.idle_seconds),
            ..FleetOptions::default()
        };
        let fleet = Fleet::start(ports, options)
            .await
            .map_err(|exit| Failure::failed(format!("the fleet of carts can't start: {exit:?}")))?;
        let cache = Arc::new(CatalogueCache::new(Arc::new(catalog.clone()), CatalogueOptions::default()));
        let cached: Arc<dyn Catalogue> = Arc::clone(&cache) as Arc<dyn Catalogue>;
        let patience = Duration::from_hours(config.webhooks.switch_off_hours);
        let accounts = AccountOptions { public_url: public_url.to_owned(), ..AccountOptions::default() };
        Ok(Self {
            door: FrontDoor::new(fleet, cached, desk, Arc::clone(&clock)),
            accounts: Accounts::new(repo.clone(), Arc::clone(&clock), accounts),
            imports: Imports::new(repo.clone(), Arc::clone(&clock)),
            feeds: Feeds::new(repo.clone(), catalog.changes(), Arc::clone(&clock)),
            webhooks: Webhooks::new(repo.clone(), Arc::clone(&clock), patience),
            reminders: Reminders::new(repo.clone(), Arc::clone(&clock), public_url),
            fed: Arc::default(),
            effects: Arc::default(),
            repo: repo.clone(),
            clock,
            catalog,
            cache,
            orders,
            bus,
            wake,
        })
    }

    /// Keeps the cache true to the writers of this process, until they are gone.
    pub(crate) async fn follow_changes(&self) {
        let changes = self.catalog.changes().subscribe();
        // What was told before this began to listen is unknown.
        self.cache.invalidate_all();
        self.cache.follow(changes).await;
    }

    /// What a replay goes through.
    pub(crate) fn replay_shop(&self) -> Shop {
        Shop {
            door: self.door.clone(),
            catalog: self.catalog.clone(),
            orders: self.orders.clone(),
            accounts: self.accounts.clone(),
            imports: self.imports.clone(),
        }
    }

    /// What feeds go through.
    pub(crate) fn feed_rooms(&self) -> FeedRooms {
        FeedRooms {
            feeds: self.feeds.clone(),
            catalog: self.catalog.clone(),
            orders: self.orders.clone(),
            door: self.door.clone(),
            clock: Arc::clone(&self.clock),
        }
    }

    /// What the API is the door to.
    pub(crate) fn web(&self) -> pulse_web::Rooms {
        pulse_web::Rooms {
            front: self.door.clone(),
            catalog: self.catalog.clone(),
            offers: Some(Arc::clone(&self.cache)),
            orders: self.orders.clone(),
            feeds: self.feed_rooms(),
            imports: self.imports.clone(),
            accounts: self.accounts.clone(),
            webhooks: self.webhooks.clone(),
            reminders: self.reminders.clone(),
            background: Background::new(self.repo.clone(), self.wake.clone()),
            wake: self.wake.clone(),
            repo: self.repo.clone(),
            clock: Arc::clone(&self.clock),
            bus: self.bus.clone(),
        }
    }

    /// Ends a command's work: lets calls end, seals the audit trail (no sealer runs beside a command), closes the
    /// database.
    pub(crate) async fn close(&self, patience: Duration) {
        if !self.door.fleet().shutdown(patience).await {
            tracing::warn!("some carts were still at work and were stopped");
        }
        if let Err(error) = Sealer::new(self.repo.clone()).seal().await {
            tracing::warn!(%error, "audit rows wait for the next sealer");
        }
        self.repo.close().await;
    }
}

/// How the web room is set up; `public_url` is where buyers reach it.
pub(crate) fn web_config(config: &Config, public_url: String) -> WebConfig {
    let a_second = config.server.requests_per_second;
    let four_times = a_second.saturating_mul(std::num::NonZeroU32::MIN.saturating_add(3));
    WebConfig {
        public_url,
        proxies: config.server.proxies,
        requests: Rate::per_second(a_second, four_times),
        ..WebConfig::default()
    }
}
