//! `pulse demo`: made-up goods, and made-up shoppers who buy them.
//!
//! **Invariant.** The same seed makes the same goods; making them twice changes nothing.

use std::sync::Arc;
use std::time::Duration;

use pulse_core::Sku;
use pulse_data::catalog::{CatalogError, ProductQuery};
use pulse_ingest::demo::{Shoppers, Visits, stock_up, visit};

use crate::cli::Demo;
use crate::config::Config;
use crate::failure::{Exit, Failure};
use crate::output;
use crate::progress::Progress;
use crate::rooms::Rooms;
use crate::shop::{self, OPERATOR};
use crate::signals::Stop;

pub(super) async fn run(config: &Config, wanted: Demo) -> Result<(), Failure> {
    let stop = Stop::listen("closing the doors; shoppers inside finish");
    let repo = shop::open_migrated(config, false).await?;
    let rooms = Rooms::open(config, &repo, "").await?;
    let result = fill(&rooms, &wanted, &stop).await;
    rooms.close(Duration::from_secs(config.server.drain_seconds)).await;
    result
}

async fn fill(rooms: &Rooms, wanted: &Demo, stop: &Stop) -> Result<(), Failure> {
    let goods = make_goods(rooms, wanted.seed, wanted.products).await?;
    output::line(format!("{} products are on the shelves", goods.len()))?;
    if wanted.shoppers == 0 {
        return Ok(());
    }
    let shoppers = Shoppers {
        a_second: 1000,
        at_once: 256,
        pause: Duration::from_millis(5),
        count: Some(wanted.shoppers),
        ..shoppers(rooms, wanted.seed, goods)
    };
    let visits = Arc::new(Visits::default());
    let progress = Progress::begin("shoppers", wanted.shoppers);
    let shown = tokio::spawn({
        let visits = Arc::clone(&visits);
        async move {
            let mut tick = tokio::time::interval(Duration::from_millis(200));
            loop {
                tick.tick().await;
                progress.reached(visits.look().came);
            }
        }
    });
    visit(&rooms.door, &shoppers, &visits, &stop.token()).await;
    shown.abort();
    let _ = shown.await;
    let seen = visits.look();
    output::line(format!(
        "{} shoppers came, {} bought, {} left without, {} met an error",
        seen.came, seen.bought, seen.left, seen.failed
    ))?;
    if stop.is_wished() {
        return Err(Failure::new(Exit::Interrupted, "stopped before all had come"));
    }
    Ok(())
}

/// Makes the goods of a seed, once.
pub(super) async fn make_goods(rooms: &Rooms, seed: u64, products: usize) -> Result<Vec<Sku>, Failure> {
    stock_up(&rooms.catalog, seed, products, rooms.clock.now()).await.map_err(|error| failure(&error))
}

/// Goods that are for sale, up to a hundred.
pub(super) async fn some_goods(rooms: &Rooms) -> Result<Vec<Sku>, Failure> {
    let query = ProductQuery { limit: 100, ..ProductQuery::default() };
    let page = rooms.catalog.list(&OPERATOR, &query).await.map_err(|error| failure(&error))?;
    Ok(page.items.into_iter().map(|product| product.sku).collect())
}

/// Shoppers who stroll: two a second, for ever.
pub(super) fn shoppers(rooms: &Rooms, seed: u64, goods: Vec<Sku>) -> Shoppers {
    Shoppers {
        seed,
        run: rooms.clock.now().0.unsigned_abs(),
        a_second: 2,
        at_once: 50,
        pause: Duration::from_secs(2),
        count: None,
        goods: goods.into(),
        buyers: Arc::new([]),
    }
}

fn failure(error: &CatalogError) -> Failure {
    match error {
        CatalogError::Db(error) => shop::db_failure(error),
        other => Failure::failed(other.to_string()),
    }
}
