//! The catalogue behind a cache.
//!
//! **Invariant.** A change that was announced is seen by the next reader; one that nobody announced, within the
//! values' time to live.

use std::sync::Arc;
use std::time::Duration;

use pulse_core::Sku;
use pulse_core::ports::{Catalogue, Offer, PortFuture, StoreError};
use pulse_core::pricing::Promotion;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::read_through::{Options, ReadThrough};
use crate::stats::CacheStats;

/// The bounds of a [`CatalogueCache`].
#[derive(Debug, Clone, Copy)]
pub struct CatalogueOptions {
    /// Offers by code.
    pub offers: Options,
    /// How long the list of promotions is believed.
    pub promotions: Duration,
}

impl Default for CatalogueOptions {
    fn default() -> Self {
        Self { offers: Options::default(), promotions: Duration::from_secs(5) }
    }
}

/// What both parts count.
#[derive(Debug, Clone, Copy, Default)]
pub struct CatalogueStats {
    /// Offers.
    pub offers: CacheStats,
    /// Promotions.
    pub promotions: CacheStats,
}

/// A [`Catalogue`] that remembers what the one inside said.
pub struct CatalogueCache {
    inner: Arc<dyn Catalogue>,
    offers: ReadThrough<Sku, Arc<Offer>>,
    promotions: ReadThrough<(), Arc<[Promotion]>>,
}

impl CatalogueCache {
    /// Wraps a catalogue.
    pub fn new(inner: Arc<dyn Catalogue>, options: CatalogueOptions) -> Self {
        let one = Options {
            capacity: 1,
            negative_capacity: 1,
            time_to_live: options.promotions,
            negative_time_to_live: options.promotions,
        };
        Self { inner, offers: ReadThrough::new(options.offers), promotions: ReadThrough::new(one) }
    }

    /// Announces that a product's offer has changed.
    pub async fn invalidate(&self, sku: Sku) {
        self.offers.invalidate(&sku).await;
    }

    /// Announces that the promotions have changed.
    pub fn invalidate_promotions(&self) {
        self.promotions.invalidate_all();
    }

    /// Announces that anything may have changed.
    pub fn invalidate_all(&self) {
        self.offers.invalidate_all();
        self.promotions.invalidate_all();
    }

    /// Follows the writer's announcements until the writer is gone. Where some were lost because this fell
    /// behind, everything is forgotten: too much, never too little.
    pub async fn follow(&self, mut changes: broadcast::Receiver<Arc<[Sku]>>) {
        loop {
            match changes.recv().await {
                Ok(skus) => {
                    for sku in skus.iter() {
                        self.invalidate(*sku).await;
                    }
                }
                Err(RecvError::Lagged(lost)) => {
                    tracing::info!(lost, "fell behind the catalogue's changes, all is forgotten");
                    self.invalidate_all();
                }
                Err(RecvError::Closed) => return,
            }
        }
    }

    /// The counters now.
    pub fn stats(&self) -> CatalogueStats {
        CatalogueStats { offers: self.offers.stats(), promotions: self.promotions.stats() }
    }
}

impl Catalogue for CatalogueCache {
    fn offer(&self, sku: Sku) -> PortFuture<'_, Result<Option<Arc<Offer>>, StoreError>> {
        Box::pin(async move { self.offers.get_or_load(&sku, async || self.inner.offer(sku).await).await })
    }

    fn promotions(&self) -> PortFuture<'_, Result<Arc<[Promotion]>, StoreError>> {
        Box::pin(async move {
            let load = async || self.inner.promotions().await.map(Some);
            Ok(self.promotions.get_or_load(&(), load).await?.unwrap_or_default())
        })
    }
}
