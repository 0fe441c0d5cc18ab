//! What servers cost: memory at rest, calls, restarts, start and stop.
//!
//! Each scenario runs in a process of its own, so that its memory is its own. Lines are
//! `otp,<scenario>,<metric>,<value>`; CPU counts first, absolute times last, because machines are noisy.
//!
//! `cargo bench -p otp` runs all; `cargo bench -p otp -- mem 100000` runs one.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![expect(clippy::expect_used, reason = "a benchmark that can't go on shall stop")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]

use std::collections::HashMap;
use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use otp::{Addr, Ctx, DynamicSupervisor, Exit, GenServer, Intensity, Registry, Reply, Spec};

/// A cart with three lines, as in the BEAM's benchmark.
struct Cart {
    user: u64,
    items: HashMap<u32, u32>,
}

enum Msg {
    Total(Reply<u64>),
    Add(u32),
    Crash,
}

impl GenServer for Cart {
    type Args = (u64, Option<Duration>);
    type Msg = Msg;

    async fn init((user, idle): Self::Args, ctx: &mut Ctx<Self>) -> Result<Self, Exit> {
        if let Some(idle) = idle {
            ctx.idle_after(idle);
        }
        Ok(Self { user, items: [(1, 1), (2, 1), (3, 1)].into() })
    }

    async fn handle(&mut self, msg: Msg, _ctx: &mut Ctx<Self>) {
        match msg {
            Msg::Total(reply) => reply.send(self.items.values().map(|n| u64::from(*n)).sum()),
            Msg::Add(sku) => *self.items.entry(sku).or_default() += 1,
            Msg::Crash => panic!("crash of cart {}", self.user),
        }
    }
}

type Names = Registry<String, Msg>;

/// Every scenario with its arguments.
const ALL: [&[&str]; 12] = [
    &["mem", "100000"],
    &["mem", "1000000"],
    &["mem_idle", "1000000"],
    &["mem_plain", "1000000"],
    &["call1"],
    &["call100"],
    &["callreg"],
    &["cast"],
    &["restart"],
    &["churn"],
    &["leak"],
    &["leak_crash"],
];

fn main() {
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| arg != "--bench").collect();
    if args.iter().any(|arg| arg == "--list") {
        return;
    }
    if args.is_empty() {
        all();
    } else {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.expect("a runtime").block_on(async {
            // In a task of its own: the main thread is no worker and would add a hop to each call.
            tokio::spawn(one(args)).await.expect("the scenario");
        });
    }
}

fn all() {
    let own = std::env::current_exe().expect("own path");
    let mut rows = Vec::new();
    for scenario in ALL {
        let output = Command::new(&own).args(scenario).output().expect("a run");
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        print!("{text}");
        rows.extend(text.lines().map(|line| line.split(',').map(str::to_owned).collect::<Vec<_>>()));
    }
    println!("\n{:<24} {:<28} {:>14}", "scenario", "metric", "value");
    for row in rows {
        if let [_, scenario, metric, value] = row.as_slice() {
            println!("{scenario:<24} {metric:<28} {value:>14}");
        }
    }
}

async fn one(args: Vec<String>) {
    let number = |at: usize, default: u64| args.get(at).and_then(|n| n.parse().ok()).unwrap_or(default);
    match args[0].as_str() {
        "mem" => memory("mem", number(1, 100_000), None).await,
        "mem_idle" => memory("mem_idle", number(1, 100_000), Some(Duration::from_hours(1))).await,
        "mem_plain" => memory_plain(number(1, 100_000)).await,
        "call1" => call(1, 1, number(1, 300_000), false, "call_1to1").await,
        "call100" => call(100, 1, number(1, 20_000), false, "call_100to1").await,
        "callreg" => call(100, 10_000, number(1, 20_000), true, "call_100to10k_by_name").await,
        "cast" => cast(number(1, 2_000_000)).await,
        "restart" => restart().await,
        "churn" => churn(number(1, 100_000), number(2, 400_000)).await,
        "leak" => leak(number(1, 1_000_000)).await,
        "leak_crash" => leak_crash(number(1, 100_000)).await,
        other => println!("no scenario {other}"),
    }
}

fn out(scenario: &str, metric: &str, value: f64) {
    println!("otp,{scenario},{metric},{value:.3}");
}

fn resident() -> u64 {
    let statm = fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("resident pages");
    pages * 4096
}

/// CPU time of all threads, in microseconds; counted by the kernel in hundredths of a second.
fn cpu() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").expect("stat");
    let after = stat.rsplit(')').next().expect("fields after the name");
    let field = |n: usize| after.split_whitespace().nth(n).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    (field(11) + field(12)) as f64 * 10_000.0
}

async fn world() -> (DynamicSupervisor, Names) {
    let carts = DynamicSupervisor::with(
        usize::MAX,
        Intensity { restarts: 1_000_000, period: Duration::from_secs(5) },
    );
    carts.start().await.expect("a supervisor");
    (carts, Names::new())
}

async fn start_cart(
    carts: &DynamicSupervisor,
    names: &Names,
    key: String,
    idle: Option<Duration>,
) -> Addr<Msg> {
    let spec = Spec::<Cart>::temporary((1, idle)).named(names, key);
    carts.start_child(spec).await.expect("a cart")
}

async fn memory(scenario: &str, n: u64, idle: Option<Duration>) {
    let (carts, names) = world().await;
    let scenario = format!("{scenario}_{n}");
    let (before, cpu_before, begin) = (resident(), cpu(), Instant::now());
    for i in 0..n {
        start_cart(&carts, &names, format!("cart:{i}"), idle).await;
    }
    let took = begin.elapsed();
    let cpu_after = cpu();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let grown = resident() - before;
    out(&scenario, "bytes_per_server", grown as f64 / n as f64);
    out(&scenario, "resident_gib", resident() as f64 / f64::from(1 << 30));
    out(&scenario, "start_cpu_us", (cpu_after - cpu_before) / n as f64);
    out(&scenario, "starts_per_s", n as f64 / took.as_secs_f64());
    let total = names.whereis("cart:7").expect("cart 7").ask(Msg::Total).await;
    assert_eq!(total, Ok(3));
    // One message each, then at rest again: what stays is what a used cart costs.
    for i in 0..n {
        names.whereis(&format!("cart:{i}")).expect("a cart").cast(Msg::Add(1)).await.expect("room");
    }
    tokio::time::sleep(Duration::from_millis(500)).await;
    out(&scenario, "bytes_after_a_message_each", (resident() - before) as f64 / n as f64);
    let begin = Instant::now();
    carts.stop().await;
    out(&scenario, "stop_all_ms", begin.elapsed().as_secs_f64() * 1_000.0);
    assert!(names.is_empty());
}

async fn memory_plain(n: u64) {
    let before = resident();
    let mut carts = Vec::new();
    for i in 0..n {
        carts.push(otp::start(Spec::<Cart>::temporary((i, None))).await.expect("a cart"));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    out(&format!("mem_plain_{n}"), "bytes_per_server", (resident() - before) as f64 / n as f64);
    assert_eq!(carts.len() as u64, n);
}

/// Small, fast and good enough to pick a cart.
fn next(dice: &mut u64) -> u64 {
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    *dice
}

async fn call(clients: u64, servers: u64, per_client: u64, by_name: bool, scenario: &str) {
    let (carts, names) = world().await;
    let mut first = None;
    for i in 0..servers {
        first = Some(start_cart(&carts, &names, format!("cart:{i}"), None).await);
    }
    let first = first.expect("one server");
    let (cpu_before, begin) = (cpu(), Instant::now());
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let (names, first) = (names.clone(), first.clone());
        tasks.spawn(async move {
            let mut dice = 0x9e37_79b9_7f4a_7c15_u64.wrapping_mul(client + 1) | 1;
            for _ in 0..per_client {
                let total = if by_name {
                    let key = format!("cart:{}", next(&mut dice) % servers);
                    names.whereis(key.as_str()).expect("a cart").ask(Msg::Total).await
                } else {
                    first.ask(Msg::Total).await
                };
                assert_eq!(total, Ok(3));
            }
        });
    }
    tasks.join_all().await;
    let calls = (clients * per_client) as f64;
    out(scenario, "cpu_us_per_op", (cpu() - cpu_before) / calls);
    out(scenario, "ops_per_s", calls / begin.elapsed().as_secs_f64());
}

async fn cast(n: u64) {
    let spec = Spec::<Cart>::temporary((1, None)).capacity(10_000);
    let cart = otp::start(spec).await.expect("a cart");
    let (cpu_before, begin) = (cpu(), Instant::now());
    for _ in 0..n {
        cart.cast(Msg::Add(1)).await.expect("room");
    }
    assert_eq!(cart.call(Duration::from_mins(1), Msg::Total).await, Ok(n + 3));
    out("cast_1to1", "cpu_us_per_op", (cpu() - cpu_before) / n as f64);
    out("cast_1to1", "ops_per_s", n as f64 / begin.elapsed().as_secs_f64());
}

fn median(mut samples: Vec<f64>, part: f64) -> f64 {
    samples.sort_by(f64::total_cmp);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index below the length")]
    let at = ((samples.len() - 1) as f64 * part) as usize;
    samples[at]
}

async fn restart() {
    std::panic::set_hook(Box::new(|_| {}));
    let (carts, names) = world().await;
    for i in 0..10_000u64 {
        let spec = Spec::<Cart>::permanent(move || (i, None)).named(&names, format!("cart:{i}"));
        carts.start_child(spec).await.expect("a cart");
    }
    let mut samples = Vec::new();
    for i in 0..3_000u64 {
        let key = format!("cart:{}", i * 31 % 10_000);
        let old = names.whereis(key.as_str()).expect("a cart");
        let begin = Instant::now();
        old.try_cast(Msg::Crash).expect("room");
        loop {
            match names.whereis(key.as_str()) {
                Some(new) if new != old && new.ask(Msg::Total).await.is_ok() => break,
                _ => tokio::task::yield_now().await,
            }
        }
        samples.push(begin.elapsed().as_secs_f64() * 1e6);
    }
    out("restart_1of10k", "p50_us", median(samples.clone(), 0.5));
    out("restart_1of10k", "p99_us", median(samples, 0.99));
}

async fn cycle(carts: &DynamicSupervisor, names: &Names, key: String) {
    let cart = start_cart(carts, names, key.clone(), None).await;
    assert_eq!(cart.ask(Msg::Total).await, Ok(3));
    carts.terminate_child(&cart).await.expect("a stop");
    assert!(names.whereis(key.as_str()).is_none());
}

async fn churn(resident: u64, cycles: u64) {
    let (carts, names) = world().await;
    for i in 0..resident {
        start_cart(&carts, &names, format!("resident:{i}"), None).await;
    }
    let (cpu_before, begin) = (cpu(), Instant::now());
    let clients = 4;
    let mut tasks = tokio::task::JoinSet::new();
    for client in 0..clients {
        let (carts, names) = (carts.clone(), names.clone());
        tasks.spawn(async move {
            for i in 0..cycles / clients {
                cycle(&carts, &names, format!("cart:{client}:{i}")).await;
            }
        });
    }
    tasks.join_all().await;
    let scenario = format!("churn_resident_{resident}");
    out(&scenario, "cpu_us_per_cycle", (cpu() - cpu_before) / cycles as f64);
    out(&scenario, "cycles_per_s", cycles as f64 / begin.elapsed().as_secs_f64());
}

async fn leak(cycles: u64) {
    let (carts, names) = world().await;
    for i in 0..cycles / 10 {
        cycle(&carts, &names, format!("cart:{i}")).await;
    }
    let before = resident();
    for i in 0..cycles {
        cycle(&carts, &names, format!("cart:{i}")).await;
    }
    let grown = resident().saturating_sub(before);
    out("leak", "bytes_per_cycle", grown as f64 / cycles as f64);
    out("leak", "names_left", names.len() as f64);
    out("leak", "table_places", carts.table_len() as f64);
}

async fn leak_crash(cycles: u64) {
    std::panic::set_hook(Box::new(|_| {}));
    let (carts, names) = world().await;
    let mut before = 0;
    for i in 0..cycles + cycles / 10 {
        if i == cycles / 10 {
            before = resident();
        }
        let cart = start_cart(&carts, &names, format!("cart:{i}"), Some(Duration::from_hours(1))).await;
        cart.try_cast(Msg::Crash).expect("room");
        cart.exited().await;
    }
    let grown = resident().saturating_sub(before);
    out("leak_crash", "bytes_per_cycle", grown as f64 / cycles as f64);
    out("leak_crash", "timers_left", otp::pending_timers() as f64);
}
