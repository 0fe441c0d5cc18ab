//! Feeds into either database: rows a second, CPU, peak memory, beside a bare multi-row upsert of the same rows in the same
//! sitting, in turn.
//!
//! Then a million rows that come twice, three ways, and checkouts beside a feed.
//!
//! `PULSE_BENCH_ROWS` sets the rows of a feed (a million), `PULSE_BENCH_PRODUCTS` the products (100,000). SQLite is a fresh
//! file that waits for the disk at each commit; PostgreSQL the server of `PULSE_TEST_PG`, or none. `PULSE_BENCH_ONLY` runs
//! one part: `rates`, `duplicates` or `checkout`. `PULSE_BENCH_BATCH` sets the rows of a batch, ours and the peer's; else each
//! database has its usual ones.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a bench prints, and stops where it can not go on"
)]

#[path = "ingest/checkout.rs"]
mod checkout;
#[path = "ingest/duplicates.rs"]
mod duplicates;
#[path = "../tests/it/shop.rs"]
#[expect(dead_code, reason = "the replay's bench uses the rest")]
mod shop;

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, BufWriter};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use pulse_data::feeds::{Feeds, Kind};
use pulse_data::testing::Database;
use pulse_data::{Backend, Repo, RepoOptions, Sql as _, SystemClock};
use pulse_ingest::feed::{BatchRows, Fed, FeedOptions, FeedRooms, feed_file, generate};
use pulse_ingest::replay::Shop;

const ROUNDS: u64 = 3;

fn main() {
    let number =
        |name: &str, usual: u64| std::env::var(name).ok().map_or(usual, |text| text.parse().unwrap());
    let (rows, products) = (number("PULSE_BENCH_ROWS", 1_000_000), number("PULSE_BENCH_PRODUCTS", 100_000));
    let batch = std::env::var("PULSE_BENCH_BATCH").ok();
    let batch = batch.map(|rows| BatchRows::new(rows.parse().unwrap()).unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        for backend in [Backend::Sqlite, Backend::Postgres] {
            if backend == Backend::Postgres && std::env::var_os("PULSE_TEST_PG").is_none() {
                println!("postgres: PULSE_TEST_PG is not set");
                continue;
            }
            let database = Database::create(backend).await;
            let repo = database.repo_with(RepoOptions::default()).await;
            let folder = tempfile::tempdir().unwrap();
            let bench = Bench {
                backend,
                rows,
                products,
                batch: batch.unwrap_or_else(|| BatchRows::usual(backend)),
                shop: shop::open(&repo).await,
                folder: folder.path(),
                repo: &repo,
            };
            println!("{backend:?}: batches of {}", bench.batch.get());
            let only = std::env::var("PULSE_BENCH_ONLY").unwrap_or_default();
            let wanted = |part: &str| only.is_empty() || only == part;
            let made = bench.file(Kind::Catalogue, 0, products);
            report(backend, "catalogue, new products", products, feed(&bench, &made).await, None);
            if wanted("rates") {
                measure(&bench).await;
            }
            if wanted("duplicates") {
                duplicates::measure(&bench).await;
            }
            if wanted("checkout") {
                checkout::measure(&bench).await;
            }
            shop::close(&bench.shop).await;
            repo.close().await;
            database.drop().await;
        }
    });
}

/// A database with its shop, and what is fed to it.
struct Bench<'a> {
    backend: Backend,
    rows: u64,
    products: u64,
    /// Rows of one statement, ours and the peer's.
    batch: BatchRows,
    shop: Shop,
    folder: &'a Path,
    repo: &'a Repo,
}

impl Bench<'_> {
    fn rooms(&self) -> FeedRooms {
        FeedRooms {
            feeds: Feeds::new(self.repo.clone(), self.shop.catalog.changes(), Arc::new(SystemClock)),
            catalog: self.shop.catalog.clone(),
            orders: self.shop.orders.clone(),
            door: self.shop.door.clone(),
            clock: Arc::new(SystemClock),
        }
    }

    fn options(&self) -> FeedOptions {
        FeedOptions { batch: Some(self.batch), ..FeedOptions::default() }
    }

    fn file(&self, kind: Kind, seed: u64, rows: u64) -> PathBuf {
        let path = self.folder.join(format!("{}-{seed}.csv", kind.name()));
        let mut out = BufWriter::new(std::fs::File::create(&path).unwrap());
        generate(&mut out, kind, seed, rows, self.products).unwrap();
        path
    }
}

async fn measure(bench: &Bench<'_>) {
    let Bench { backend, rows, .. } = *bench;
    for kind in [Kind::Stock, Kind::Prices] {
        let (mut ours, mut bare) = (Duration::ZERO, Duration::ZERO);
        for round in 1..=ROUNDS {
            let path = bench.file(kind, round, rows);
            let took = feed(bench, &path).await;
            let peer = upsert(bench, kind, &path).await;
            report(backend, kind.name(), rows, took, Some(peer));
            (ours, bare) = (ours + took.0, bare + peer.0);
            std::fs::remove_file(path).unwrap();
        }
        println!(
            "{backend:?} {}: {:.2} of a bare upsert over {ROUNDS} rounds",
            kind.name(),
            bare.as_secs_f64() / ours.as_secs_f64()
        );
    }
}

/// Wall and CPU time.
type Took = (Duration, Duration);

async fn feed(bench: &Bench<'_>, path: &Path) -> Took {
    let (start, before) = (Instant::now(), cpu());
    let ended = feed_file(&bench.rooms(), path, &bench.options(), &Arc::default(), 0).await.unwrap();
    assert!(matches!(ended, Fed::Done(ref feed) if feed.counts.dead == 0), "{ended:?}");
    (start.elapsed(), cpu().saturating_sub(before))
}

/// The peer: the same rows, read and folded beforehand, in one upsert a batch and nothing else.
async fn upsert(bench: &Bench<'_>, kind: Kind, path: &Path) -> Took {
    let repo = bench.repo;
    let lines = BufReader::new(std::fs::File::open(path).unwrap()).lines().skip(1);
    let rows: Vec<(String, i64)> = lines
        .map(|line| {
            let line = line.unwrap();
            let (sku, value) = line.split_once(',').unwrap();
            (sku.to_owned(), value.replace('.', "").parse().unwrap())
        })
        .collect();
    let batches: Vec<String> = rows
        .chunks(bench.batch.get())
        .map(|rows| {
            let mut folded: BTreeMap<&str, i64> = BTreeMap::new();
            for (sku, value) in rows {
                let sum = folded.entry(sku).or_default();
                *sum = if kind == Kind::Stock { *sum + value } else { *value };
            }
            serde_json::to_string(&folded.into_iter().collect::<Vec<_>>()).unwrap()
        })
        .collect();
    let set = match kind {
        Kind::Stock => "stock = products.stock + excluded.stock",
        _ => "price_pence = excluded.price_pence",
    };
    let value = match repo.backend() {
        Backend::Sqlite => ["value ->> 0", "value ->> 1", "json_each($1) WHERE TRUE"],
        Backend::Postgres => ["value ->> 0", "(value ->> 1)::bigint", "jsonb_array_elements($1::jsonb)"],
    };
    let [sku, number, from] = value;
    let sql = format!(
        "INSERT INTO products (sku, name, name_key, price_pence, currency, vat, priced_at, stock, active, version, \
         created_at, updated_at) SELECT {sku}, 'x', 'x', {number}, 'GBP', 'standard', 0, {number}, TRUE, 1, 0, 0 \
         FROM {from} ON CONFLICT (sku) DO UPDATE SET {set}"
    );
    let (start, before) = (Instant::now(), cpu());
    for batch in batches {
        let write = repo.write_with((sql.clone(), batch), |tx, (sql, batch)| {
            async move { tx.exec(sql, vec![batch.as_str().into()]).await }.boxed()
        });
        write.await.unwrap();
    }
    (start.elapsed(), cpu().saturating_sub(before))
}

fn report(backend: Backend, what: &str, rows: u64, took: Took, peer: Option<Took>) {
    let each = |(wall, cpu): Took| {
        format!(
            "{:>9.0} rows/s, {:>5.2} us of CPU a row",
            rows as f64 / wall.as_secs_f64(),
            cpu.as_secs_f64() * 1e6 / rows as f64
        )
    };
    let beside = peer.map_or_else(String::new, |peer| format!(" | bare {}", each(peer)));
    println!("{backend:?} {what}: {}{beside} | {}", each(took), peak());
}

/// CPU that this process has used, its own and the kernel's.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = |at: usize| fields.get(at).and_then(|ticks| ticks.parse::<u64>().ok()).unwrap_or_default();
    Duration::from_millis(10 * (ticks(11) + ticks(12)))
}

fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or("VmHWM unknown").replace('\t', " ")
}
