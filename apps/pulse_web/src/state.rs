//! What all requests share.
//!
//! **Invariant.** Everything here is bounded and shared behind one pointer; a clone costs a count.

use std::sync::{Arc, Weak};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::HeaderValue;
use pulse_cache::{CacheStats, Options, ReadThrough};
use pulse_core::ports::{Bus as _, Clock, Notice};
use pulse_core::{Principal, Sku};
use pulse_data::Repo;
use pulse_data::accounts::Accounts;
use pulse_data::background::Background;
use pulse_data::catalog::Catalog;
use pulse_data::imports::Imports;
use pulse_data::orders::Orders;
use pulse_data::reminders::Reminders;
use pulse_data::webhooks::Webhooks;
use pulse_fleet::FrontDoor;
use pulse_ingest::feed::FeedRooms;
use tokio::sync::broadcast::error::RecvError;

use crate::config::WebConfig;
use crate::identity::{Identity, TokenHash};
use crate::limit::Limiter;
use crate::listings::Listings;
use crate::news::{LocalBus, Topic};
use crate::site::{Figures, Shoppers};
use crate::turns;

/// The rooms that the API is the door to.
#[derive(Clone)]
pub struct Rooms {
    /// Carts and checkouts.
    pub front: FrontDoor,
    /// Products.
    pub catalog: Catalog,
    /// What the front door prices with; told about edits made here, so that they are seen at once.
    pub offers: Option<Arc<pulse_cache::CatalogueCache>>,
    /// Orders.
    pub orders: Orders,
    /// Feeds of suppliers and partners, and their dead letters.
    pub feeds: FeedRooms,
    /// What replays have read, and their dead letters.
    pub imports: Imports,
    /// Accounts, sessions and tokens.
    pub accounts: Accounts,
    /// Who else is told of what happens.
    pub webhooks: Webhooks,
    /// Whether buyers are reminded of their carts.
    pub reminders: Reminders,
    /// Background jobs, for those who look after them.
    pub background: Background,
    /// Tells the jobs of this process that there is work.
    pub wake: jobs::Wake,
    /// The database, whose audit trail is shown and verified.
    pub repo: Repo,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What the rooms tell of themselves; the same one that the fleet and the orders tell.
    pub bus: LocalBus,
}

/// What all requests share. Cheap to clone.
#[derive(Clone)]
pub struct AppState(Arc<Inner>);

struct Inner {
    rooms: Rooms,
    config: WebConfig,
    attempts: Limiter,
    sessions: ReadThrough<TokenHash, Arc<Identity>>,
    pages: ReadThrough<Arc<str>, Rendered>,
    products: ReadThrough<Sku, Rendered>,
    listings: Listings,
    shoppers: Shoppers,
    figures: Figures,
}

/// An answer that is kept as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Rendered {
    pub(crate) etag: HeaderValue,
    pub(crate) body: Bytes,
}

/// How long lists may lag behind stock that moves all the time: dropping every page at every sale would mean to
/// keep none. A change made through the admin API drops them at once.
const LAG: Duration = Duration::from_millis(200);

/// What the caches of this room count.
#[derive(Debug, Clone, Copy, Default)]
pub struct WebStats {
    /// Rendered pages of the catalogue.
    pub pages: CacheStats,
    /// Rendered products.
    pub products: CacheStats,
    /// Sessions and tokens.
    pub sessions: CacheStats,
    /// Lists that the catalogue's live pages begin with.
    pub listings: CacheStats,
}

impl AppState {
    /// The state of a running API; follows the catalogue's changes from now on.
    ///
    /// # Panics
    ///
    /// Outside a tokio runtime.
    pub fn new(rooms: Rooms, config: WebConfig) -> Self {
        let belief = |time_to_live| Options { time_to_live, ..Options::default() };
        let bytes = Options { capacity: config.page_bytes, ..belief(config.page_belief) };
        let weight = |body: &Rendered| u32::try_from(body.body.len() + 256).unwrap_or(u32::MAX);
        let mut changes = rooms.catalog.changes().subscribe();
        let shoppers = Shoppers::default();
        let state = Self(Arc::new(Inner {
            attempts: Limiter::new(config.attempts),
            sessions: ReadThrough::new(belief(config.session_belief)),
            pages: ReadThrough::weighed(bytes, move |_, page| weight(page)),
            products: ReadThrough::weighed(bytes, move |_, page| weight(page)),
            listings: Listings::new(config.page_belief),
            config,
            figures: Figures::new(rooms.clone(), shoppers.clone()),
            shoppers,
            rooms,
        }));
        let follower = Arc::downgrade(&state.0);
        tokio::spawn(async move {
            loop {
                let change = changes.recv().await;
                let Some(state) = Weak::upgrade(&follower).map(Self) else { return };
                match change {
                    Ok(skus) => {
                        for sku in skus.iter() {
                            state.0.products.invalidate(sku).await;
                        }
                    }
                    Err(RecvError::Lagged(_)) => state.0.products.invalidate_all(),
                    Err(RecvError::Closed) => return,
                }
                if changes.is_empty() {
                    state.0.pages.invalidate_all();
                    drop(state);
                    tokio::time::sleep(LAG).await;
                }
            }
        });
        state
    }

    /// Counters of the caches.
    pub fn stats(&self) -> WebStats {
        WebStats {
            pages: self.0.pages.stats(),
            products: self.0.products.stats(),
            sessions: self.0.sessions.stats(),
            listings: self.0.listings.stats(),
        }
    }

    pub(crate) fn config(&self) -> &WebConfig {
        &self.0.config
    }

    pub(crate) fn rooms(&self) -> &Rooms {
        &self.0.rooms
    }

    /// Who has a page of the shop open.
    pub(crate) fn shoppers(&self) -> &Shoppers {
        &self.0.shoppers
    }

    /// What the dashboards show.
    pub(crate) fn figures(&self) -> &Figures {
        &self.0.figures
    }

    pub(crate) fn attempts(&self) -> &Limiter {
        &self.0.attempts
    }

    /// Tells open pages of changed products, gathered, as long as the catalogue has a writer. One runs beside the shop.
    pub async fn follow_products(&self) {
        let rooms = self.rooms();
        rooms.bus.follow_products(rooms.catalog.clone(), || self.0.listings.forget()).await;
    }

    /// Tells open pages of promotions that begin and end by themselves, at that instant. One runs beside the shop.
    pub async fn follow_promotions(&self) {
        /// Changes that wait while the next turn is read.
        const WAITING: u32 = 64;
        let rooms = self.rooms();
        let (here, mut changed) = otp::inbox(WAITING);
        rooms.bus.topics().subscribe(Topic::Promotions, &here, |_| ());
        let next = |after| rooms.catalog.next_turn(&Principal::System("news"), after);
        turns::follow(&*rooms.clock, &mut changed, next, || self.promotions_changed()).await;
    }

    pub(crate) fn listings(&self) -> &Listings {
        &self.0.listings
    }

    pub(crate) fn sessions(&self) -> &ReadThrough<TokenHash, Arc<Identity>> {
        &self.0.sessions
    }

    pub(crate) fn pages(&self) -> &ReadThrough<Arc<str>, Rendered> {
        &self.0.pages
    }

    pub(crate) fn products(&self) -> &ReadThrough<Sku, Rendered> {
        &self.0.products
    }

    /// Forgets what it showed of these products, at once: whoever made a change through this node sees it in the
    /// next answer.
    pub(crate) async fn changed(&self, skus: impl IntoIterator<Item = Sku>) {
        for sku in skus {
            self.0.products.invalidate(&sku).await;
            if let Some(offers) = &self.0.rooms.offers {
                offers.invalidate(sku).await;
            }
        }
        self.0.pages.invalidate_all();
    }

    /// The same for promotions; then the open pages are told, so that whoever is told reads the change.
    pub(crate) fn promotions_changed(&self) {
        if let Some(offers) = &self.0.rooms.offers {
            offers.invalidate_promotions();
        }
        self.0.rooms.bus.tell(Notice::Promotions);
    }
}
