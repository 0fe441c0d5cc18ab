//! Carts through the fleet: stored commands a second (each durable before its reply), memory of awake carts, and
//! what a call costs.
//!
//! Each scenario runs in a process of its own, so that its memory is its own. `cargo bench -p pulse_fleet` runs all;
//! `-- stored sqlite` runs one. PostgreSQL is measured where `PULSE_TEST_PG` names a server. `BENCH_SECONDS` (5).
//!
//! *stored*: 20,000 distinct carts of five lines; 512 callers change them, each waits for its reply; then the
//! database is opened anew and every cart is read back: lines and versions must be what was acknowledged. SQLite
//! commits with `synchronous=FULL`. CPU is this process's, without PostgreSQL's server.
//! *awake*: 100,000 carts of five lines awake in one fleet, over a store that keeps nothing. *view*: calls to 10,000
//! awake carts by 100 callers. *turnover*: each call wakes a cart and puts the idlest to sleep.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![expect(clippy::expect_used, reason = "a benchmark that can't go on shall stop")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]

use std::error::Error;
use std::process::Command as Process;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use pulse_core::cart::{Basis, Command, Limits, LineKey, Price, StoredCart};
use pulse_core::order::{PlaceOrder, PlacedOrder};
use pulse_core::ports::{CartStore, Clock, OrderDesk, PlaceError, PortFuture, SaveError, StoreError};
use pulse_core::pricing::VatRate;
use pulse_core::{CartId, CheckoutKey, CommandId, Money, Principal, Quantity, Sku, Timestamp, Version};
use pulse_data::carts::Carts;
use pulse_data::testing::Database;
use pulse_data::{Backend, RepoOptions};
use pulse_fleet::{Fleet, FleetOptions, FleetPorts};

const LINES: u64 = 5;
const CARTS: u64 = 20_000;
const CALLERS: u64 = 512;

type Outcome = Result<(), Box<dyn Error>>;

fn main() -> Outcome {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    match wanted.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["stored", "sqlite"] => runtime.block_on(stored(Backend::Sqlite)),
        ["stored", "postgres"] => runtime.block_on(stored(Backend::Postgres)),
        ["awake"] => runtime.block_on(awake(100_000)),
        ["view"] => runtime.block_on(view()),
        ["turnover"] => runtime.block_on(turnover()),
        [] => all(),
        _ => Err("use: stored sqlite, stored postgres, awake, view, turnover".into()),
    }
}

fn all() -> Outcome {
    for scenario in [&["stored", "sqlite"][..], &["stored", "postgres"], &["awake"], &["view"], &["turnover"]]
    {
        if scenario.contains(&"postgres") && std::env::var_os("PULSE_TEST_PG").is_none() {
            println!("carts stored postgres: not measured, PULSE_TEST_PG names no server");
            continue;
        }
        let done = Process::new(std::env::current_exe()?).args(scenario).status()?;
        if !done.success() {
            return Err(format!("{scenario:?} failed").into());
        }
    }
    Ok(())
}

/// A store that keeps nothing, a desk without orders, and the machine's clock.
struct Nowhere;

impl CartStore for Nowhere {
    fn load(&self, _: CartId) -> PortFuture<'_, Result<Option<StoredCart>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn save(&self, _: CartId, _: Version, _: &StoredCart) -> PortFuture<'_, Result<(), SaveError>> {
        Box::pin(async { Ok(()) })
    }
}

impl OrderDesk for Nowhere {
    fn find(&self, _: &CheckoutKey) -> PortFuture<'_, Result<Option<PlacedOrder>, StoreError>> {
        Box::pin(async { Ok(None) })
    }

    fn place(&self, _: &Principal, _: PlaceOrder) -> PortFuture<'_, Result<PlacedOrder, PlaceError>> {
        Box::pin(async { Err(PlaceError::CartChanged) })
    }
}

impl Clock for Nowhere {
    fn now(&self) -> Timestamp {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Timestamp(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }
}

async fn fleet(store: Arc<dyn CartStore>, options: FleetOptions) -> Fleet {
    let ports = FleetPorts {
        store,
        orders: Arc::new(Nowhere),
        clock: Arc::new(Nowhere),
        bus: Arc::new(pulse_core::ports::NoBus),
    };
    Fleet::start(ports, options).await.expect("a fleet")
}

/// Ids as the shop draws them: spread over all 128 bits.
fn cart(n: u64) -> CartId {
    let high = u128::from(n.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    CartId(high << 64 | u128::from(n))
}

fn line(n: u64) -> LineKey {
    let price = Price { unit: Money::gbp(255), basis: Basis::Listed(VatRate::Standard) };
    LineKey { sku: Sku::new(&format!("8512{n}A")).expect("a code"), price }
}

fn fill(n: u64) -> Command {
    let LineKey { sku, price } = line(n % LINES);
    Command::Add { sku, quantity: Quantity::ONE, price }
}

/// The nth command of a cart: its first five fill it, the others set quantities.
fn command(n: u64) -> Command {
    let quantity = Quantity::new(i64::try_from(n % 9).unwrap_or(0) + 1).expect("a quantity");
    if n < LINES { fill(n) } else { Command::SetQuantity { line: line(n % LINES), quantity } }
}

async fn stored(backend: Backend) -> Outcome {
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(5);
    let database = Database::create(backend).await;
    let repo = database.repo_with(RepoOptions::default()).await;
    let carts = fleet(Arc::new(Carts::new(&repo)), FleetOptions::default()).await;
    let filled = callers(&carts, LINES, None).await;
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let more = callers(&carts, u64::MAX, Some(start + Duration::from_secs(seconds))).await;
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    carts.shutdown(Duration::from_secs(10)).await;
    drop(carts);
    repo.close().await;

    let repo = database.repo_with(RepoOptions::default()).await;
    let store = Carts::new(&repo);
    let (mut whole, mut commands) = (0, 0);
    for n in 0..CARTS {
        if let Some(found) = store.load(cart(n)).await? {
            whole += u64::from(found.cart.lines.len() as u64 == LINES);
            commands += found.version.0;
        }
    }
    println!(
        "carts stored {backend:?}: {:.0} commands/s, {:.1} us of CPU each ({more} in {wall:.1} s); reopened: {whole} \
         of {CARTS} carts with {LINES} lines, {commands} of {} acknowledged commands",
        more as f64 / wall,
        cpu * 1e6 / more as f64,
        filled + more,
    );
    drop(store);
    repo.close().await;
    database.drop().await;
    if (whole, commands) == (CARTS, filled + more) {
        Ok(())
    } else {
        Err("what was acknowledged is not there".into())
    }
}

/// Each caller goes round its own carts, one command a cart and round. Says how many were acknowledged.
async fn callers(fleet: &Fleet, rounds: u64, until: Option<Instant>) -> u64 {
    let acknowledged = Arc::new(AtomicU64::new(0));
    let mut tasks = Vec::new();
    for caller in 0..CALLERS {
        let (fleet, acknowledged) = (fleet.clone(), acknowledged.clone());
        tasks.push(tokio::spawn(async move {
            let first = if until.is_some() { LINES } else { 0 };
            for round in first..rounds.max(first) {
                for n in (caller..CARTS).step_by(usize::try_from(CALLERS).unwrap_or(1)) {
                    if until.is_some_and(|until| Instant::now() >= until) {
                        return;
                    }
                    let id = CommandId(round << 32 | n);
                    fleet.command(cart(n), Some(id), command(round), Limits::BUYER).await.expect("a receipt");
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
            }
        }));
    }
    for task in tasks {
        task.await.expect("a caller");
    }
    acknowledged.load(Ordering::Relaxed)
}

async fn awake(count: u64) -> Outcome {
    let options = FleetOptions { idle: Duration::from_hours(1), ..FleetOptions::default() };
    let fleet = fleet(Arc::new(Nowhere), options).await;
    let before = resident_bytes();
    for n in 0..count {
        for k in 0..LINES {
            fleet.command(cart(n), Some(CommandId(k)), fill(k), Limits::BUYER).await?;
        }
    }
    let after = resident_bytes();
    println!(
        "carts awake: {} carts of {LINES} lines, {:.0} bytes each",
        fleet.stats().awake,
        (after - before) / count as f64
    );
    Ok(())
}

async fn view() -> Outcome {
    const AWAKE: u64 = 10_000;
    const EACH: u64 = 5_000;
    let fleet = fleet(Arc::new(Nowhere), FleetOptions::default()).await;
    for n in 0..AWAKE {
        fleet.command(cart(n), None, fill(1), Limits::BUYER).await?;
    }
    let cpu = cpu_seconds();
    let mut tasks = Vec::new();
    for caller in 0..100 {
        let fleet = fleet.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..EACH {
                fleet.view(cart((caller * 7_919 + n * 31) % AWAKE)).await.expect("a view");
            }
        }));
    }
    for task in tasks {
        task.await?;
    }
    let calls = (100 * EACH) as f64;
    println!(
        "carts view: {:.2} us of CPU a call, 100 callers, {AWAKE} carts",
        (cpu_seconds() - cpu) * 1e6 / calls
    );
    Ok(())
}

async fn turnover() -> Outcome {
    const EACH: u64 = 1_000;
    let options = FleetOptions { max_awake: 1_000, ..FleetOptions::default() };
    let fleet = fleet(Arc::new(Nowhere), options).await;
    for n in 0..2_000 {
        fleet.view(cart(n)).await?;
    }
    let (cpu, before) = (cpu_seconds(), fleet.stats());
    let mut tasks = Vec::new();
    for caller in 0..100 {
        let fleet = fleet.clone();
        tasks.push(tokio::spawn(async move {
            for n in 0..EACH {
                fleet.view(cart(caller * EACH + n + 10_000)).await.expect("a view");
            }
        }));
    }
    for task in tasks {
        task.await?;
    }
    let after = fleet.stats();
    let each = (cpu_seconds() - cpu) * 1e6 / (after.started - before.started) as f64;
    println!(
        "carts turnover: {each:.2} us of CPU to wake one and put the idlest to sleep; {} woken, {} put to sleep",
        after.started - before.started,
        after.evicted - before.evicted,
    );
    Ok(())
}

/// User and system time of this process (`/proc/self/stat`, ticks of 10 ms).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks =
        |at| after_name.split_whitespace().nth(at).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    (ticks(11) + ticks(12)) / 100.0
}

fn resident_bytes() -> f64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = status.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
    pages * 4096.0
}
