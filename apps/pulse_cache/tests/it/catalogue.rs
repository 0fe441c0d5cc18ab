//! The cached catalogue, over one that counts how often it is asked.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use pulse_cache::{CatalogueCache, CatalogueOptions};
use pulse_core::cart::{Basis, Price};
use pulse_core::ports::{Catalogue, Offer, PortFuture, StoreError};
use pulse_core::pricing::{Promotion, Rule, VatRate};
use pulse_core::{Money, Sku};
use tokio::sync::broadcast;

#[derive(Default)]
struct Shelf {
    stock: AtomicI64,
    asked: AtomicU64,
    promotions: Mutex<Vec<Promotion>>,
}

impl Catalogue for Shelf {
    fn offer(&self, sku: Sku) -> PortFuture<'_, Result<Option<Arc<Offer>>, StoreError>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        let price = Price { unit: Money::gbp(255), basis: Basis::Listed(VatRate::Standard) };
        let stock = self.stock.load(Ordering::SeqCst);
        let offer =
            (sku.as_str() != "NONE").then(|| Arc::new(Offer { sku, name: "A cup".into(), price, stock }));
        Box::pin(async move { Ok(offer) })
    }

    fn promotions(&self) -> PortFuture<'_, Result<Arc<[Promotion]>, StoreError>> {
        let now = self.promotions.lock().unwrap().clone().into();
        Box::pin(async move { Ok(now) })
    }
}

fn sku(code: &str) -> Sku {
    Sku::new(code).unwrap()
}

async fn stock(cache: &CatalogueCache, code: &str) -> Option<i64> {
    cache.offer(sku(code)).await.unwrap().map(|offer| offer.stock)
}

#[tokio::test]
async fn the_shelf_is_asked_once_until_the_writer_announces_a_change() {
    let shelf = Arc::new(Shelf::default());
    let cache = CatalogueCache::new(shelf.clone(), CatalogueOptions::default());
    assert_eq!(stock(&cache, "A").await, Some(0));
    shelf.stock.store(9, Ordering::SeqCst);
    assert_eq!(stock(&cache, "A").await, Some(0));
    cache.invalidate(sku("A")).await;
    assert_eq!(stock(&cache, "A").await, Some(9));
    assert_eq!(stock(&cache, "NONE").await, None);
    assert_eq!(stock(&cache, "NONE").await, None);
    assert_eq!(shelf.asked.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn announced_changes_are_followed_and_lost_ones_forget_all() {
    let shelf = Arc::new(Shelf::default());
    let cache = CatalogueCache::new(shelf.clone(), CatalogueOptions::default());
    let (writer, changes) = broadcast::channel::<Arc<[Sku]>>(2);
    assert_eq!(stock(&cache, "A").await, Some(0));
    assert_eq!(stock(&cache, "B").await, Some(0));
    shelf.stock.store(1, Ordering::SeqCst);
    writer.send(Arc::from([sku("A")])).unwrap();
    drop(writer);
    cache.follow(changes).await;
    assert_eq!((stock(&cache, "A").await, stock(&cache, "B").await), (Some(1), Some(0)));

    let (writer, changes) = broadcast::channel::<Arc<[Sku]>>(2);
    shelf.stock.store(2, Ordering::SeqCst);
    for code in ["B", "C", "D", "E"] {
        writer.send(Arc::from([sku(code)])).unwrap();
    }
    drop(writer);
    cache.follow(changes).await;
    assert_eq!((stock(&cache, "A").await, stock(&cache, "B").await), (Some(2), Some(2)));
}

#[tokio::test]
async fn promotions_are_believed_until_they_are_announced_to_have_changed() {
    let shelf = Arc::new(Shelf::default());
    let cache = CatalogueCache::new(shelf.clone(), CatalogueOptions::default());
    assert_eq!(cache.promotions().await.unwrap().len(), 0);
    let rule = Rule::Percentage { sku: None, percent: 10 };
    shelf.promotions.lock().unwrap().push(Promotion { code: "TEN".into(), rule });
    assert_eq!(cache.promotions().await.unwrap().len(), 0);
    cache.invalidate_promotions();
    assert_eq!(cache.promotions().await.unwrap().len(), 1);
}
