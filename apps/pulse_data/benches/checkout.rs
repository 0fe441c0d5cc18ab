//! Orders a second through `orders::place`, beside the same statements without the shop.
//!
//! 16 buyers at a time check out three lines each of 5,000 products. One checkout is recorded first; the peers run the
//! statements of that recording: `pgbench -M prepared -c 16` on the same server, and rusqlite with one commit an order
//! on an SQLite file of its own (both `synchronous=FULL`). Product and peer run in turn. The CPU is this process's, so
//! it leaves out PostgreSQL's server. `BENCH_SECONDS` (5), `BENCH_ROUNDS` (3) and `PULSE_TEST_PG`.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints rounded figures")]

#[path = "checkout/peers.rs"]
mod peers;
#[path = "checkout/recorder.rs"]
mod recorder;

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use pulse_core::cart::{Basis, Line, Price};
use pulse_core::order::{Channel, PaymentMethod, PlaceOrder};
use pulse_core::pricing::{VatRate, price};
use pulse_core::{CartId, CheckoutKey, Money, Principal, Quantity, Sku, Timestamp, Version};
use pulse_data::catalog::{Catalog, DeliveryLine};
use pulse_data::orders::Orders;
use pulse_data::testing::Database;
use pulse_data::{Backend, DbError, Repo, RepoOptions, Sql as _, SystemClock};

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

const BUYERS: u64 = 16;
const PRODUCTS: u64 = 5_000;
const FIRST_SKU: u64 = 10_000;

fn main() -> Outcome<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let number = |name: &str, or| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let time = Duration::from_secs(number("BENCH_SECONDS", 5));
    let rounds = number("BENCH_ROUNDS", 3);
    println!("checkout, 16 at a time, 3 lines each     orders/s   CPU us/order   peer/s   ratio");
    let mut backends = vec![Backend::Sqlite];
    if std::env::var_os("PULSE_TEST_PG").is_some() {
        backends.push(Backend::Postgres);
    }
    for backend in backends {
        let mut ratios = Vec::new();
        for round in 1..=rounds {
            let (product, cpu, peer) = runtime.block_on(one_round(backend, time))?;
            ratios.push(product / peer);
            println!(
                "{:40} {product:8.0}   {cpu:12.0}   {peer:6.0}   {:5.2}",
                format!("{backend:?}, round {round}"),
                product / peer,
            );
        }
        ratios.sort_by(f64::total_cmp);
        println!("{backend:?}: median ratio {:.2}", ratios[ratios.len() / 2]);
    }
    Ok(())
}

/// Product, then peer, each on a fresh database: orders a second, CPU microseconds an order, the peer's a second.
async fn one_round(backend: Backend, time: Duration) -> Outcome<(f64, f64, f64)> {
    let database = Database::create(backend).await;
    let repo = open(&database).await?;
    let statements = recorder::record(&repo, checkout(0, 1)).await?;
    let (product, cpu) = product(&repo, time).await?;
    repo.close().await;
    database.drop().await;

    let database = Database::create(backend).await;
    let repo = open(&database).await?;
    let peer = match backend {
        Backend::Sqlite => {
            repo.close().await;
            peers::rusqlite(database.url(), &statements, time)?
        }
        Backend::Postgres => {
            let rate = peers::pgbench(database.url(), &statements, time)?;
            repo.close().await;
            rate
        }
    };
    database.drop().await;
    Ok((product, cpu, peer))
}

/// A shop with products, and a stored cart for each buyer.
async fn open(database: &Database) -> Outcome<Repo> {
    let options = RepoOptions { connections: 16, ..RepoOptions::default() };
    let repo = database.repo_with(options).await;
    let catalog = Catalog::new(repo.clone(), Arc::new(SystemClock));
    let line = |n: u64| {
        Ok(DeliveryLine {
            sku: code(n)?,
            name: format!("PRODUCT NUMBER {n}"),
            category: None,
            pieces: 1_000_000_000,
            price: Money::gbp(255),
            vat: VatRate::Standard,
            priced_at: Timestamp(0),
        })
    };
    let lines = (0..PRODUCTS).map(line).collect::<Outcome<Vec<_>>>()?;
    catalog.deliver(&Principal::System("bench"), "opening", lines).await?;
    repo.write_with((), |tx, ()| {
        async move {
            for buyer in 0..=BUYERS {
                let sql = "INSERT INTO carts (id, version, currency, body, recent) VALUES ($1, 1, 'GBP', \
                           '{\"l\":[[\"10000\",1,255,\"s\"],[\"10001\",2,255,\"s\"],[\"10002\",3,255,\"s\"]]}', '')";
                tx.exec(sql, vec![cart(buyer).to_string().into()]).await?;
            }
            if tx.backend() == Backend::Postgres {
                tx.script("ANALYZE products; ANALYZE carts").await?;
            }
            Ok::<_, DbError>(())
        }
        .boxed()
    })
    .await?;
    Ok(repo)
}

async fn product(repo: &Repo, time: Duration) -> Outcome<(f64, f64)> {
    let catalog = Catalog::new(repo.clone(), Arc::new(SystemClock));
    let orders = Orders::new(repo.clone(), catalog.changes(), Arc::new(SystemClock));
    let placed = Arc::new(AtomicU64::new(0));
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let buyers: Vec<_> = (1..=BUYERS)
        .map(|buyer| {
            let (orders, placed) = (orders.clone(), Arc::clone(&placed));
            tokio::spawn(async move {
                let mut version = 1;
                while start.elapsed() < time {
                    orders.place(&Principal::Guest, checkout(buyer, version)?).await?;
                    version += 1;
                    placed.fetch_add(1, Ordering::Relaxed);
                }
                Ok::<_, Box<dyn Error + Send + Sync>>(())
            })
        })
        .collect();
    for buyer in buyers {
        buyer.await??;
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let count = placed.load(Ordering::Relaxed) as f64;
    Ok((count / wall, cpu * 1e6 / count))
}

/// A buyer's checkout of its cart at a version: three random products.
fn checkout(buyer: u64, version: u64) -> Outcome<PlaceOrder> {
    let first = rand::random_range(0..PRODUCTS - 3);
    let basis = Basis::Listed(VatRate::Standard);
    let line = |n: u64| {
        let sku = code(if n == 0 { first } else { (first + n * 1_009) % PRODUCTS })?;
        Ok(Line { sku, quantity: Quantity::ONE, price: Price { unit: Money::gbp(255), basis } })
    };
    let lines = (0..3).map(line).collect::<Outcome<Vec<_>>>()?;
    Ok(PlaceOrder {
        key: CheckoutKey::new(&rand::random_range(1..i64::MAX).to_string())?,
        cart: cart(buyer),
        cart_version: Version(version),
        priced: price(&lines, &[])?,
        buyer: None,
        email: Some("ann@example.com".to_owned()),
        country: "United Kingdom".to_owned(),
        payment: PaymentMethod::Card,
        channel: Channel::Web,
        placed_at: Timestamp(1_291_191_960_000),
    })
}

fn code(n: u64) -> Outcome<Sku> {
    Ok(Sku::new(&(FIRST_SKU + n).to_string())?)
}

/// Written with decimal digits only, so that pgbench can name it too.
fn cart(buyer: u64) -> CartId {
    format!("{buyer:032}").parse().unwrap_or(CartId(0))
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: f64 = after.split(' ').skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / 100.0
}
