//! Feeding in a process of its own, killed with -9 at random points over its batches, and started again.
//!
//! **Invariant.** Nothing is lost and nothing doubled: the stock is counted. `PULSE_SOAK_ROUNDS` sets the rounds.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use pulse_data::feeds::{Counts, FeedQuery, FeedState};
use pulse_data::testing::Database;
use pulse_data::{Backend, Repo, RepoOptions};
use pulse_ingest::demo::Dice;
use pulse_ingest::feed::{FeedOptions, feed_file};

use super::{rooms, stock, stock_up, table, written};
use crate::shop::{WHO, close, shelves};

/// Where the child finds its database and its file.
const DATABASE: &str = "PULSE_FED_DATABASE";
const FILE: &str = "PULSE_FED_FILE";

const PRODUCTS: u64 = 20;
const ROWS: u64 = 120_000;

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// What the child process runs: this test binary again, with this test alone. By itself it does nothing.
#[test]
fn child() {
    let Ok(url) = std::env::var(DATABASE) else { return };
    let file = std::env::var(FILE).unwrap();
    runtime().block_on(async {
        let repo = Repo::connect(&url, RepoOptions::default()).await.unwrap();
        let (shop, rooms) = rooms(&repo).await;
        feed_file(&rooms, Path::new(&file), &FeedOptions::default(), &Arc::default(), 0).await.unwrap();
        close(&shop).await;
    });
}

fn rounds() -> u64 {
    std::env::var("PULSE_SOAK_ROUNDS").ok().map_or(5, |rounds| rounds.parse().unwrap())
}

fn killed(backend: Backend) {
    let runtime = runtime();
    let folder = tempfile::tempdir().unwrap();
    let (mut dice, mut left, mut file, mut fed) = (Dice::new(rounds()), 0, None, 0_u64);
    let database = runtime.block_on(async {
        let database = Database::create(backend).await;
        let repo = database.repo().await;
        let (shop, rooms) = rooms(&repo).await;
        stock_up(&rooms, PRODUCTS).await;
        close(&shop).await;
        repo.close().await;
        database
    });
    let child = |file: &Path| {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "feed::killed::child", "--nocapture"])
            .env(DATABASE, database.url())
            .env(FILE, file)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    };
    let mut kills = 0;
    while left < rounds() {
        // A file that was fed to its end makes room for another.
        let path = file.get_or_insert_with(|| {
            fed += 1;
            let file = table("sku,delta,x_file", ROWS, |n| format!("P{},1,{fed}", n % PRODUCTS + 1));
            written(folder.path(), &format!("stock-{fed}.csv"), &file)
        });
        let mut process = child(path);
        std::thread::sleep(Duration::from_millis(dice.between(40, 900).unsigned_abs()));
        if process.try_wait().unwrap().is_some_and(|status| status.success()) {
            file = None;
            continue;
        }
        // SIGKILL.
        let _ = process.kill();
        process.wait().unwrap();
        kills += 1;
        left += 1;
    }
    if let Some(path) = &file {
        assert!(child(path).wait().unwrap().success(), "left alone, it goes on to the end");
    }
    runtime.block_on(async {
        let repo = database.repo().await;
        let (shop, rooms) = rooms(&repo).await;
        let feeds = rooms.feeds.list(&WHO, &FeedQuery { limit: 200, ..FeedQuery::default() }).await.unwrap().items;
        assert_eq!(feeds.len() as u64, fed);
        for feed in &feeds {
            let counts = Counts { changed: ROWS, unchanged: 0, dead: 0 };
            assert_eq!((feed.state, feed.counts), (FeedState::Done, counts), "{}", feed.name);
        }
        let expected = 1000 + i64::try_from(fed * ROWS / PRODUCTS).unwrap();
        for n in 1..=PRODUCTS {
            assert_eq!(stock(&rooms, n).await, expected, "P{n} after {kills} kills");
        }
        shelves(&shop).await;
        eprintln!("{kills} kills, {fed} files of {ROWS} rows: {expected} pieces of each product, none lost, none made");
        close(&shop).await;
        repo.close().await;
        database.drop().await;
    });
}

#[test]
fn soak_a_killed_feed_goes_on_on_sqlite() {
    killed(Backend::Sqlite);
}

#[test]
fn soak_a_killed_feed_goes_on_on_postgres() {
    killed(Backend::Postgres);
}
