//! What an increment and a restart cost, beside the BEAM (`bench/peers/actor_bench.exs call100`, `restart`).
//!
//! Lines are `counters,<scenario>,<metric>,<value>`; CPU first, since machines are noisy. `cargo bench -p labs_counter_ttl`.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![expect(clippy::expect_used, reason = "a benchmark that can't go on shall stop")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]

use std::time::{Duration, Instant};

use labs_counter_ttl::{Counter, Counters, Intensity, Settings, Supervisor};

fn main() {
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    pure();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        tokio::spawn(increments()).await.expect("the scenario");
        tokio::spawn(restarts()).await.expect("the scenario");
    });
}

/// The functional core alone: a million updates over ten thousand keys, each of which expires now and then.
fn pure() {
    let keys: Vec<[String; 1]> = (0..10_000).map(|key| [format!("key {key}")]).collect();
    let mut counters = Counters::new(Duration::from_millis(500), usize::MAX);
    let start = tokio::time::Instant::now();
    let before = cpu();
    for n in 0..1_000_000_u64 {
        let key = &keys[usize::try_from(n * 7_919 % 10_000).expect("a small number")];
        counters.update(start + Duration::from_micros(n), key, |_, n| n + 1).expect("there is no bound");
    }
    println!("counters,update,cpu_us_per_op,{:.3}", (cpu() - before) / 1_000_000.0);
}

/// A hundred clients at one supervised server, each change with the heir before its answer.
async fn increments() {
    let (child, client) = Counter::child(Settings::default());
    let supervised = Supervisor::new(Intensity::default()).child(child).start();
    let (before, start) = (cpu(), Instant::now());
    let clients: Vec<_> = (0..100)
        .map(|key| {
            let client = client.clone();
            tokio::spawn(async move {
                let key = format!("key {key}");
                for _ in 0..5_000 {
                    client.increment(&key).await.expect("an answer");
                }
            })
        })
        .collect();
    for client in clients {
        client.await.expect("the client");
    }
    println!("counters,increment_100to1,cpu_us_per_op,{:.3}", (cpu() - before) / 500_000.0);
    println!("counters,increment_100to1,ops_per_s,{:.0}", 500_000.0 / start.elapsed().as_secs_f64());
    supervised.stop().await;
}

/// From a crash until the next life answers.
async fn restarts() {
    let (child, client) = Counter::child(Settings::default());
    let often = Intensity { restarts: usize::MAX, period: Duration::from_secs(1) };
    let supervised = Supervisor::new(often).child(child).start();
    let mut took = Vec::new();
    for n in 1..=2_000 {
        client.increment("a").await.expect("an answer");
        let start = Instant::now();
        // A panic without its message: the hook is not part of a restart.
        let crash = |_: &str, _| std::panic::resume_unwind(Box::new("a crash"));
        client.update(vec!["a".to_owned()], crash).await.expect_err("it crashes");
        while client.get("a").await != Ok(n) {
            tokio::task::yield_now().await;
        }
        took.push(start.elapsed());
    }
    took.sort_unstable();
    println!("counters,restart,p50_us,{:.1}", took[took.len() / 2].as_secs_f64() * 1e6);
    println!("counters,restart,p99_us,{:.1}", took[took.len() * 99 / 100].as_secs_f64() * 1e6);
    supervised.stop().await;
}

/// CPU time of all threads, in microseconds; counted by the kernel in hundredths of a second.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("stat");
    let after = stat.rsplit(')').next().expect("fields after the name");
    let field = |n: usize| after.split_whitespace().nth(n).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    (field(11) + field(12)) as f64 * 10_000.0
}
