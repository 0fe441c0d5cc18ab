//! The figures of the dashboard, read once a second for all who watch.
//!
//! **Invariant.** However many dashboards are open on this node, the database is asked once a second, and not at all
//! while none is. Whoever begins to watch is told something that is at most a second old.

use std::sync::Arc;
use std::time::Duration;

use otp::PubSub;
use parking_lot::Mutex;
use pulse_core::{OrderId, Principal};
use pulse_data::catalog::{Product, ProductQuery};
use pulse_data::imports::ImportFile;
use pulse_data::orders::{Order, OrderError, OrderQuery};
use tokio::task::JoinHandle;
use tokio::time::{Instant, MissedTickBehavior};

use super::super::shoppers::{Present, Shoppers};
use super::trade::{self, Trade};
use crate::error::ApiError;
use crate::state::Rooms;

/// In whose name the figures are read; each dashboard asks for itself whether its visitor may see them.
const WATCH: Principal = Principal::System("dashboard");

/// How often.
const EVERY: Duration = Duration::from_secs(1);

/// Figures that nobody has followed for so long are begun anew.
const STALE: Duration = Duration::from_secs(10);

/// Newest orders that are shown.
pub(crate) const NEWEST: u32 = 8;

/// A product of which there are fewer pieces runs low.
pub(crate) const LOW: i64 = 10;

/// Products that run low are looked at up to here, and the scarcest of them are shown.
const LOOKED_AT: u32 = 200;
const SCARCEST: usize = 8;

/// Imports that are shown: the newest.
const IMPORTS: usize = 6;

/// How things stood at an instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Snapshot {
    pub(crate) trade: Trade,
    pub(crate) present: Present,
    /// How many products run low; of more than are looked at, so many.
    pub(crate) low: usize,
    /// The scarcest of them first.
    pub(crate) scarcest: Vec<Product>,
    /// The newest first.
    pub(crate) newest: Vec<Order>,
    /// The newest first; empty where nothing was ever replayed.
    pub(crate) imports: Vec<Import>,
}

/// A file that is or was replayed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Import {
    pub(crate) file: ImportFile,
    /// Rows since the last look, so in about a second.
    pub(crate) rows_a_second: u64,
}

/// What dashboards are told.
#[derive(Debug)]
pub(crate) enum Reading {
    /// The figures.
    Fresh(Arc<Snapshot>),
    /// They could not be read; those shown are old.
    Failed,
}

/// The figures of this node. Cheap to clone; clones are the same.
#[derive(Clone)]
pub(crate) struct Figures(Arc<Inner>);

struct Inner {
    rooms: Rooms,
    shoppers: Shoppers,
    told: PubSub<(), Reading>,
    /// Held while reading, so that many who come at once cause one reading.
    last: tokio::sync::Mutex<Option<Last>>,
    /// Reads and tells while somebody watches.
    ticker: Mutex<Option<JoinHandle<()>>>,
}

/// What the next reading goes on from.
struct Last {
    read_at: Instant,
    /// The newest order that is counted in the trade.
    counted: OrderId,
    snapshot: Arc<Snapshot>,
}

impl Figures {
    pub(crate) fn new(rooms: Rooms, shoppers: Shoppers) -> Self {
        let (last, ticker) = (tokio::sync::Mutex::new(None), Mutex::new(None));
        Self(Arc::new(Inner { rooms, shoppers, told: PubSub::new(), last, ticker }))
    }

    /// Where readings are told, to be subscribed to before [`watch`](Self::watch).
    pub(crate) fn told(&self) -> &PubSub<(), Reading> {
        &self.0.told
    }

    /// Somebody has subscribed: from now on figures are told every second, until nobody listens.
    pub(crate) fn watch(&self) {
        let mut ticker = self.0.ticker.lock();
        if ticker.as_ref().is_none_or(JoinHandle::is_finished) {
            *ticker = Some(tokio::spawn(self.clone().tick()));
        }
    }

    async fn tick(self) {
        let mut seconds = tokio::time::interval(EVERY);
        seconds.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            seconds.tick().await;
            {
                // Under the lock: who subscribes from here on finds no ticker and starts one.
                let mut ticker = self.0.ticker.lock();
                if self.0.told.subscriber_count(&()) == 0 {
                    *ticker = None;
                    return;
                }
            }
            let reading = match self.now().await {
                Ok(snapshot) => Reading::Fresh(snapshot),
                Err(_) => Reading::Failed,
            };
            self.0.told.publish(&(), reading);
        }
    }

    /// How things stand: read now, unless that was done less than a second ago.
    pub(crate) async fn now(&self) -> Result<Arc<Snapshot>, ApiError> {
        let mut last = self.0.last.lock().await;
        if let Some(last) = last.as_ref().filter(|last| last.read_at.elapsed() < EVERY * 9 / 10) {
            return Ok(last.snapshot.clone());
        }
        let before = last.take().filter(|last| last.read_at.elapsed() < STALE);
        let read = self.0.read(before).await.inspect_err(|error| {
            tracing::warn!(?error, "the dashboard's figures could not be read");
        })?;
        Ok(last.insert(read).snapshot.clone())
    }
}

impl Inner {
    async fn read(&self, before: Option<Last>) -> Result<Last, ApiError> {
        let read_at = Instant::now();
        let newest = OrderQuery { everybody: true, limit: NEWEST, ..OrderQuery::default() };
        let (trade, counted) = match &before {
            Some(before) => self.follow(before).await?,
            None => self.begin().await?,
        };
        let newest = self.rooms.orders.list(&WATCH, &newest).await?.items;
        let mut low = self.low().await?;
        let count = low.len();
        low.sort_by_key(|product| (product.stock, product.sku));
        low.truncate(SCARCEST);
        let snapshot = Snapshot {
            trade,
            present: self.shoppers.present(),
            low: count,
            scarcest: low,
            newest,
            imports: self.imports(before.as_ref().map_or(&[], |before| &before.snapshot.imports)).await?,
        };
        Ok(Last { read_at, counted, snapshot: Arc::new(snapshot) })
    }

    /// The hour as it is stored. An order that comes between the two questions would be counted twice, so they are asked
    /// until none does, or a shop is too busy for that to matter.
    async fn begin(&self) -> Result<(Trade, OrderId), OrderError> {
        let now = self.rooms.clock.now();
        let mut counted = self.newest().await?;
        for _ in 0..3 {
            let past = self.rooms.orders.minutes(&WATCH, trade::since(now)).await?;
            let trade = Trade::new(now, &past);
            let after = self.newest().await?;
            if after == counted {
                return Ok((trade, counted));
            }
            counted = after;
        }
        let past = self.rooms.orders.minutes(&WATCH, trade::since(now)).await?;
        Ok((Trade::new(now, &past), counted))
    }

    async fn newest(&self) -> Result<OrderId, OrderError> {
        let query = OrderQuery { everybody: true, limit: 1, ..OrderQuery::default() };
        let newest = self.rooms.orders.list(&WATCH, &query).await?;
        Ok(newest.items.first().map_or(OrderId(0), |order| order.id))
    }

    /// What has come in since. Replayed orders are counted when they come, however old their invoices are.
    async fn follow(&self, before: &Last) -> Result<(Trade, OrderId), OrderError> {
        let sales = self.rooms.orders.sales_after(&WATCH, before.counted).await?;
        let mut trade = before.snapshot.trade.clone();
        trade.roll(self.rooms.clock.now());
        trade.add(sales);
        Ok((trade, sales.last))
    }

    async fn low(&self) -> Result<Vec<Product>, ApiError> {
        let query =
            ProductQuery { stock_at_most: Some(LOW - 1), limit: LOOKED_AT, ..ProductQuery::default() };
        Ok(self.rooms.catalog.list(&WATCH, &query).await?.items)
    }

    /// `pulse replay` runs in another process, so its progress is read from what it stores.
    async fn imports(&self, before: &[Import]) -> Result<Vec<Import>, ApiError> {
        let files = self.rooms.imports.files(&WATCH).await?;
        let newest = files.into_iter().rev().take(IMPORTS);
        let with_speed = newest.map(|file| {
            let known = before.iter().find(|known| known.file.id == file.id);
            let rows = known.map_or(file.counts.rows, |known| known.file.counts.rows);
            Import { rows_a_second: file.counts.rows.saturating_sub(rows), file }
        });
        Ok(with_speed.collect())
    }
}
