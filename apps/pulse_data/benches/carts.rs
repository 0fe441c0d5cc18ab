//! Stored cart commands a second, each durable before its reply, and what one costs.
//!
//! 20,480 distinct carts of five lines and 32 remembered commands each; 512 callers store carts, each waiting for
//! its reply. Then the database is opened anew and every cart is read back. SQLite commits with `synchronous=FULL`;
//! the CPU is this process's, so it leaves out PostgreSQL's server. `BENCH_SECONDS` (5) and `PULSE_TEST_PG`.
//!
//! Then three sweeps for guests' carts that were left alone: one that sees each cart for the first time, one that finds
//! nothing to do, and one a month later that deletes them all.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints rounded figures")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pulse_core::cart::{Basis, Cart, Line, Price, StoredCart};
use pulse_core::ports::{CartStore as _, Clock, SaveError};
use pulse_core::pricing::VatRate;
use pulse_core::{CartId, CommandId, Money, Principal, Quantity, Sku, Timestamp, Version};
use pulse_data::carts::{Carts, GuestCarts};
use pulse_data::testing::Database;
use pulse_data::{Backend, RepoOptions};
use tokio::sync::Barrier;

const CARTS: u64 = 40 * CALLERS as u64;
const CALLERS: u32 = 512;

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(5);
    let mut backends = vec![Backend::Sqlite];
    if std::env::var_os("PULSE_TEST_PG").is_some() {
        backends.push(Backend::Postgres);
    }
    for backend in backends {
        runtime.block_on(run(backend, Duration::from_secs(seconds)))?;
    }
    Ok(())
}

async fn run(backend: Backend, time: Duration) -> Result<(), Box<dyn Error>> {
    let database = Database::create(backend).await;
    let repo = database.repo_with(RepoOptions::default()).await;
    let carts = Carts::new(&repo);
    let measured = measure(&carts, time).await?;
    let Measured { stored, wall, cpu } = measured;
    drop(carts);
    repo.close().await;

    let repo = database.repo_with(RepoOptions::default()).await;
    let carts = Carts::new(&repo);
    let (mut found, mut commands) = (0, 0);
    for n in 0..CARTS {
        if let Some(cart) = carts.load(id(n)).await? {
            found += u64::from(cart.cart.lines.len() == 5);
            commands += cart.version.0;
        }
    }
    let count = stored as f64;
    println!(
        "carts {backend:?}: {:.0} commands/s, {:.1} us of CPU a command; {stored} in {wall:.1} s; \
         reopened: {found} carts of five lines, {commands} commands of {}",
        count / wall,
        cpu * 1e6 / count,
        CARTS + stored,
    );
    assert_eq!((found, commands), (CARTS, CARTS + stored), "an acknowledged command is missing");
    for (what, days, expected) in [("all new", 0, 0), ("nothing to do", 1, 0), ("all left alone", 31, CARTS)]
    {
        let guests = GuestCarts::new(repo.clone(), Arc::new(Day(days)));
        let (before, start, mut gone) = (cpu_seconds(), Instant::now(), 0);
        let mut sweep = guests.sweep(&Principal::System("bench"), Duration::from_hours(30 * 24)).await?;
        while let Some(page) = sweep.page().await? {
            gone += page;
        }
        let each = |seconds: f64| seconds * 1e6 / CARTS as f64;
        let (wall, cpu) = (each(start.elapsed().as_secs_f64()), each(cpu_seconds() - before));
        println!("carts {backend:?}: a sweep, {what}: {wall:.1} us a cart, {cpu:.1} us of CPU");
        assert_eq!(gone, expected);
    }
    repo.close().await;
    database.drop().await;
    Ok(())
}

/// So many days after the first sweep.
struct Day(i64);

impl Clock for Day {
    fn now(&self) -> Timestamp {
        Timestamp(self.0 * 24 * 3_600_000)
    }
}

struct Measured {
    stored: u64,
    wall: f64,
    cpu: f64,
}

/// Each caller has carts of its own, stores each once, waits for the others, and then stores them in turn until the
/// time is over.
async fn measure(carts: &Carts, time: Duration) -> Result<Measured, Box<dyn Error>> {
    let stored = Arc::new(AtomicU64::new(0));
    let ready = Arc::new(Barrier::new(CALLERS as usize + 1));
    let mut callers = Vec::new();
    for caller in 0..CALLERS {
        let (carts, stored, ready) = (carts.clone(), Arc::clone(&stored), Arc::clone(&ready));
        callers.push(tokio::spawn(async move {
            let mut mine: Vec<_> = (0..CARTS / u64::from(CALLERS))
                .map(|turn| (id(turn * u64::from(CALLERS) + u64::from(caller)), cart()))
                .collect();
            for (id, cart) in &mut mine {
                store(&carts, *id, cart).await?;
            }
            ready.wait().await;
            let until = Instant::now() + time;
            for turn in (0..mine.len()).cycle() {
                if Instant::now() > until {
                    break;
                }
                let (id, cart) = &mut mine[turn];
                store(&carts, *id, cart).await?;
                stored.fetch_add(1, Ordering::Relaxed);
            }
            Ok::<(), SaveError>(())
        }));
    }
    ready.wait().await;
    let (cpu, start) = (cpu_seconds(), Instant::now());
    for caller in callers {
        caller.await??;
    }
    let wall = start.elapsed().as_secs_f64();
    Ok(Measured { stored: stored.load(Ordering::Relaxed), wall, cpu: cpu_seconds() - cpu })
}

async fn store(carts: &Carts, id: CartId, cart: &mut StoredCart) -> Result<(), SaveError> {
    let over = cart.version;
    cart.version = over.next();
    cart.recent.remember(CommandId(rand::random()), cart.version);
    carts.save(id, over, cart).await
}

fn id(n: u64) -> CartId {
    // Spread like random ids, so that neighbours in time are not neighbours in the file.
    CartId(u128::from(n).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835))
}

fn cart() -> StoredCart {
    let basis = Basis::Listed(VatRate::Standard);
    let line = |n: i64| Line {
        sku: Sku::new(&format!("8512{n}A")).unwrap_or_else(|_| unreachable!("a valid code")),
        quantity: Quantity::new(n + 1).unwrap_or(Quantity::ONE),
        price: Price { unit: Money::gbp(255 + n), basis },
    };
    let lines = (0..5).map(line).collect();
    let recent = (0..31).map(|n| (CommandId(n << 40), Version(0))).collect();
    StoredCart { version: Version(0), cart: Cart { lines, freeze: None }, recent }
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: f64 = after.split(' ').skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / 100.0
}
