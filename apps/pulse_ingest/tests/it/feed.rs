//! Feeds through the whole shop, on both databases: files of every form, dirt of every kind, whatever happens on the way.
//!
//! **Invariant.** However often, in however many pieces a feed is fed: each row is done once, or is a letter that names what
//! is wrong.

mod broker;
mod dirt;
mod files;
mod killed;
mod orders;
mod outage;
mod stream;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use pulse_core::pricing::VatRate;
use pulse_core::{Money, Sku, Timestamp};
use pulse_data::catalog::DeliveryLine;
use pulse_data::feeds::{Feed, Feeds, Letter, LetterQuery};
use pulse_data::{Repo, SystemClock};
use pulse_ingest::feed::{Fed, FeedOptions, FeedRooms, feed_file};
use pulse_ingest::replay::Shop;

use crate::shop::{WHO, open};

/// The rooms of a database, and what feeds go through.
pub(crate) async fn rooms(repo: &Repo) -> (Shop, FeedRooms) {
    let shop = open(repo).await;
    let rooms = FeedRooms {
        feeds: Feeds::new(repo.clone(), shop.catalog.changes(), Arc::new(SystemClock)),
        catalog: shop.catalog.clone(),
        orders: shop.orders.clone(),
        door: shop.door.clone(),
        clock: Arc::new(SystemClock),
    };
    (shop, rooms)
}

pub(crate) fn sku(n: u64) -> Sku {
    Sku::new(&format!("P{n}")).unwrap()
}

/// Products P1 to Pn, a thousand pieces each.
pub(crate) async fn stock_up(rooms: &FeedRooms, products: u64) {
    let line = |n| DeliveryLine {
        sku: sku(n),
        name: format!("Product {n}"),
        category: None,
        pieces: 1000,
        price: Money::gbp(500),
        vat: VatRate::Standard,
        priced_at: Timestamp(5),
    };
    rooms.catalog.deliver(&WHO, "first", (1..=products).map(line).collect()).await.unwrap();
}

pub(crate) fn written(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

/// A header, and a line for each number below `rows`.
pub(crate) fn table(header: &str, rows: u64, line: impl Fn(u64) -> String) -> Vec<u8> {
    let lines = std::iter::once(header.to_owned()).chain((0..rows).map(line));
    (lines.collect::<Vec<_>>().join("\n") + "\n").into_bytes()
}

pub(crate) fn packed(content: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

pub(crate) async fn fed(rooms: &FeedRooms, path: &Path) -> Fed {
    feed_file(rooms, path, &FeedOptions::default(), &Arc::default(), 0).await.unwrap()
}

pub(crate) async fn done(rooms: &FeedRooms, path: &Path) -> Feed {
    match fed(rooms, path).await {
        Fed::Done(feed) => feed,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn stock(rooms: &FeedRooms, n: u64) -> i64 {
    rooms.catalog.get(&WHO, sku(n)).await.unwrap().stock
}

pub(crate) async fn letters(rooms: &FeedRooms) -> Vec<Letter> {
    rooms.feeds.letters(&WHO, &LetterQuery { limit: 200, ..LetterQuery::default() }).await.unwrap().items
}
