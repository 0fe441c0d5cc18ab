//! A whole shop on a test's database: the real rooms, wired as the binary wires them.

use std::sync::Arc;
use std::time::Duration;

use pulse_cache::{CatalogueCache, CatalogueOptions};
use pulse_core::Principal;
use pulse_core::ports::{Catalogue, Clock, OrderDesk};
use pulse_data::accounts::{AccountOptions, Accounts};
use pulse_data::carts::Carts;
use pulse_data::catalog::Catalog;
use pulse_data::imports::Imports;
use pulse_data::orders::Orders;
use pulse_data::{Repo, SystemClock};
use pulse_fleet::{Fleet, FleetOptions, FleetPorts, FrontDoor};
use pulse_ingest::replay::Shop;
use pulse_ingest::report::{report, stock_check};
use serde_json::{Value, json};

pub(crate) const WHO: Principal = Principal::System("test");

/// The rooms of a database.
pub(crate) async fn open(repo: &Repo) -> Shop {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let catalog = Catalog::new(repo.clone(), Arc::clone(&clock));
    let orders = Orders::new(repo.clone(), catalog.changes(), Arc::clone(&clock));
    let desk: Arc<dyn OrderDesk> = Arc::new(orders.clone());
    let ports = FleetPorts {
        store: Arc::new(Carts::new(repo)),
        orders: Arc::clone(&desk),
        clock: Arc::clone(&clock),
        bus: Arc::new(pulse_core::ports::NoBus),
    };
    let fleet = Fleet::start(ports, FleetOptions::default()).await.unwrap();
    let cache = Arc::new(CatalogueCache::new(Arc::new(catalog.clone()), CatalogueOptions::default()));
    let (following, changes) = (Arc::clone(&cache), catalog.changes().subscribe());
    tokio::spawn(async move { following.follow(changes).await });
    let cached: Arc<dyn Catalogue> = cache;
    Shop {
        door: FrontDoor::new(fleet, cached, desk, Arc::clone(&clock)),
        catalog,
        orders,
        accounts: Accounts::new(repo.clone(), Arc::clone(&clock), AccountOptions::default()),
        imports: Imports::new(repo.clone(), clock),
    }
}

/// The report as it is printed.
pub(crate) async fn figures(shop: &Shop) -> Value {
    serde_json::to_value(report(&shop.orders, &shop.imports, &WHO).await.unwrap()).unwrap()
}

/// Stock and prices by code, as the oracle counts them; fails where pieces were lost or made.
pub(crate) async fn shelves(shop: &Shop) -> Value {
    let wrong = stock_check(&shop.orders, &WHO).await.unwrap();
    assert_eq!(wrong, [], "stock = delivered - sold + returned");
    let balance = shop.orders.stock_balance(&WHO).await.unwrap();
    let mut prices = serde_json::Map::new();
    for product in balance.iter().filter(|product| product.sold > 0) {
        let price = shop.catalog.get(&WHO, product.sku).await.unwrap().price;
        prices.insert(product.sku.to_string(), json!(price.pence));
    }
    let stock: serde_json::Map<String, Value> =
        balance.iter().map(|product| (product.sku.to_string(), json!(product.stock))).collect();
    json!({ "stock": stock, "prices": prices })
}

/// Lets the fleet finish; what a graceful stop of the binary does.
pub(crate) async fn close(shop: &Shop) {
    assert!(shop.door.fleet().shutdown(Duration::from_secs(10)).await, "every call had its answer");
}
