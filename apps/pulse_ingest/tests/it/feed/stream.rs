//! A stream of a real broker as a feed: what comes twice counts once, whatever dies.
//!
//! **Invariant.** At the end the stock is what was published, and what can't be used is a letter. `PULSE_SOAK_ROUNDS` sets
//! the rounds of kill -9; the broker is killed in some of them, too. `PULSE_SOAK_OUTAGE` sets for how many seconds it is gone
//! where it is gone once: a second by default, since what waits for it does not know how long that is.

use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use pipeline::testing::nats_server::NatsServer;
use pulse_data::feeds::{Counts, Feed, FeedQuery, Feeds, Reason};
use pulse_data::testing::Database;
use pulse_data::{Backend, DbError, Repo, RepoOptions, Sql as _, db_test};
use pulse_ingest::demo::Dice;
use pulse_ingest::feed::{FeedOptions, FeedProgress, FeedRooms, StreamAddress, feed_stream};

use super::broker::{publish, stream};
use super::{letters, rooms, stock, stock_up};
use crate::shop::{WHO, close, shelves};

const PRODUCTS: u64 = 10;

fn address(broker: &NatsServer, more: &str) -> StreamAddress {
    let text = format!("{}/FEEDS/feeds.stock?kind=stock&source=acme{more}", broker.url());
    StreamAddress { ack_wait: Duration::from_secs(1), ..text.parse().unwrap() }
}

fn rows(from: u64, count: u64) -> Vec<(String, String)> {
    let row = |n: u64| format!(r#"{{"sku":"P{}","delta":1}}"#, n % PRODUCTS + 1);
    (from..from + count).map(|n| (n.to_string(), row(n))).collect()
}

async fn first_feed(feeds: &Feeds) -> Option<Feed> {
    let query = FeedQuery { limit: 10, ..FeedQuery::default() };
    feeds.list(&WHO, &query).await.unwrap().items.into_iter().next_back()
}

/// Feeds the stream until so many of its messages are dealt with or known.
async fn until(rooms: &FeedRooms, address: &StreamAddress, messages: u64) {
    let (options, progress) = (FeedOptions::default(), Arc::new(FeedProgress::default()));
    let feeding = feed_stream(rooms, address, &options, &progress);
    let watching = async {
        loop {
            let look = progress.look();
            if look.counts.rows() + look.repeated >= messages {
                return options.stop.cancel();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let (ended, ()) = tokio::join!(feeding, watching);
    ended.unwrap();
}

db_test!(what_the_broker_gives_out_again_counts_once_and_poison_is_buried, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, PRODUCTS).await;
    let broker = NatsServer::start().await;
    let context = stream(&broker).await;
    publish(&context, "feeds.other", &rows(0, 100)).await;
    publish(&context, "feeds.stock", &rows(1000, 3000)).await;
    let poison =
        [("x1".to_owned(), "not an object".to_owned()), ("x2".to_owned(), r#"{"sku":"P1"}"#.to_owned())];
    publish(&context, "feeds.stock", &poison).await;
    publish(&context, "feeds.stock", &rows(5000, 500)).await;
    until(&rooms, &address(&broker, ""), 3502).await;
    let feed = first_feed(&rooms.feeds).await.unwrap();
    assert_eq!(feed.counts, Counts { changed: 3500, unchanged: 0, dead: 2 });
    let found = letters(&rooms).await;
    let reasons: Vec<_> = found.iter().map(|letter| (letter.place.row, letter.reason)).collect();
    assert_eq!(
        reasons,
        [(3101, Reason::Unreadable), (3102, Reason::Missing)],
        "named by their numbers in the stream"
    );
    // Another consumer is given every message again: the same stream is the same feed.
    until(&rooms, &address(&broker, "&consumer=another"), 3502).await;
    assert_eq!(first_feed(&rooms.feeds).await.unwrap().counts, feed.counts);
    for n in 1..=PRODUCTS {
        assert_eq!(stock(&rooms, n).await, 1350, "P{n}");
    }
    shelves(&shop).await;
    close(&shop).await;
});

db_test!(what_the_broker_holds_is_told_and_falls_as_it_is_done, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, PRODUCTS).await;
    let broker = NatsServer::start().await;
    let context = stream(&broker).await;
    let (options, progress) = (FeedOptions::default(), Arc::new(FeedProgress::default()));
    let address = address(&broker, "");
    let feeding = feed_stream(&rooms, &address, &options, &progress);
    let watching = async {
        while first_feed(&rooms.feeds).await.is_none() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        // Another write keeps the shelves to itself until it was told that all of them wait.
        let (held, is_held) = tokio::sync::oneshot::channel();
        let input = (Arc::clone(&progress), std::sync::Mutex::new(Some(held)));
        let holding = repo.write_with(input, |tx, (progress, held)| {
            async move {
                tx.exec("UPDATE products SET adjusted = adjusted", vec![]).await?;
                if let Some(held) = held.lock().unwrap().take() {
                    held.send(()).unwrap();
                }
                while progress.look().pending != 200 {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
                Ok::<_, DbError>(())
            }
            .boxed()
        });
        let publishing = async {
            is_held.await.unwrap();
            publish(&context, "feeds.stock", &rows(0, 200)).await;
        };
        let (held, ()) = tokio::join!(holding, publishing);
        held.unwrap();
        while progress.look().pending != 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        options.stop.cancel();
    };
    let (ended, ()) = tokio::join!(feeding, watching);
    ended.unwrap();
    let feed = first_feed(&rooms.feeds).await.unwrap();
    assert_eq!(feed.counts, Counts { changed: 200, unchanged: 0, dead: 0 });
    close(&shop).await;
});

/// For how long the broker is gone.
fn outage() -> Duration {
    Duration::from_secs(std::env::var("PULSE_SOAK_OUTAGE").map_or(1, |seconds| seconds.parse().unwrap()))
}

db_test!(soak_a_broker_that_is_gone_is_waited_for_and_every_message_counts_once, |repo| async move {
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, PRODUCTS).await;
    let mut broker = NatsServer::start().await;
    let context = stream(&broker).await;
    publish(&context, "feeds.stock", &rows(0, 20_000)).await;
    let (options, progress) = (FeedOptions::default(), Arc::new(FeedProgress::default()));
    let address = address(&broker, "");
    let feeding = feed_stream(&rooms, &address, &options, &progress);
    let outage = async {
        while progress.look().counts.rows() == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        broker.down();
        tokio::time::sleep(outage()).await;
        let by_then = progress.look().counts.rows();
        broker.up().await;
        publish(&context, "feeds.stock", &rows(20_000, 1_000)).await;
        while progress.look().counts.rows() < 21_000 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        options.stop.cancel();
        by_then
    };
    let (ended, by_then) = tokio::join!(feeding, outage);
    ended.unwrap();
    assert!(by_then < 20_000, "it was gone in the middle: {by_then} of 20000 were done");
    assert_eq!(
        first_feed(&rooms.feeds).await.unwrap().counts,
        Counts { changed: 21_000, unchanged: 0, dead: 0 }
    );
    for n in 1..=PRODUCTS {
        assert_eq!(stock(&rooms, n).await, 1000 + 2100, "P{n}");
    }
    shelves(&shop).await;
    close(&shop).await;
});

/// Where the child finds its database and its stream.
const DATABASE: &str = "PULSE_STREAMED_DATABASE";
const STREAM: &str = "PULSE_STREAMED_FROM";

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What the child process runs: this test binary again, with this test alone. By itself it does nothing.
#[test]
fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let text = std::env::var(STREAM).unwrap();
    let address = StreamAddress { ack_wait: Duration::from_secs(1), ..text.parse().unwrap() };
    runtime().block_on(async {
        let repo = Repo::connect(&url, RepoOptions::default()).await.unwrap();
        let (_shop, rooms) = rooms(&repo).await;
        // A broker that is down when it starts is tried again, as beside the shop.
        loop {
            let _ = feed_stream(&rooms, &address, &FeedOptions::default(), &Arc::default()).await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
}

fn rounds() -> u64 {
    std::env::var("PULSE_SOAK_ROUNDS").ok().map_or(5, |rounds| rounds.parse().unwrap())
}

/// Messages that are published in a round.
const MESSAGES: u64 = 4_000;

async fn killed(backend: Backend) {
    let database = Database::create(backend).await;
    let repo = database.repo().await;
    let (shop, rooms) = rooms(&repo).await;
    stock_up(&rooms, PRODUCTS).await;
    let mut broker = NatsServer::start().await;
    let context = stream(&broker).await;
    let from = format!("{}/FEEDS/feeds.stock?kind=stock&source=acme", broker.url());
    let start = || -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "feed::stream::child", "--nocapture"])
            .env(DATABASE, database.url())
            .env(STREAM, &from)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let (mut dice, rounds) = (Dice::new(rounds()), rounds());
    for round in 0..rounds {
        let mut process = start();
        publish(&context, "feeds.stock", &rows(round * MESSAGES, MESSAGES)).await;
        if dice.chance(400) {
            broker.down();
            tokio::time::sleep(Duration::from_millis(dice.between(10, 300).unsigned_abs())).await;
            broker.up().await;
        }
        tokio::time::sleep(Duration::from_millis(dice.between(100, 1200).unsigned_abs())).await;
        process.kill().unwrap();
        process.wait().unwrap();
    }
    let published = rounds * MESSAGES;
    let mut last = start();
    while first_feed(&rooms.feeds).await.is_none_or(|feed| feed.counts.rows() < published) {
        assert!(last.try_wait().unwrap().is_none(), "the last one ended");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    // Whatever is still given out again is known.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    last.kill().unwrap();
    last.wait().unwrap();
    let feed = first_feed(&rooms.feeds).await.unwrap();
    assert_eq!(feed.counts, Counts { changed: published, unchanged: 0, dead: 0 });
    let expected = 1000 + i64::try_from(published / PRODUCTS).unwrap();
    for n in 1..=PRODUCTS {
        assert_eq!(stock(&rooms, n).await, expected, "P{n}");
    }
    shelves(&shop).await;
    eprintln!(
        "{rounds} kills, {published} messages: {expected} pieces of each product, none lost, none made"
    );
    close(&shop).await;
    repo.close().await;
    database.drop().await;
}

#[test]
fn soak_a_killed_stream_goes_on_on_sqlite() {
    runtime().block_on(killed(Backend::Sqlite));
}

#[test]
fn soak_a_killed_stream_goes_on_on_postgres() {
    runtime().block_on(killed(Backend::Postgres));
}
