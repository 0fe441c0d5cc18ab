//! What a worker costs at rest, found by name, and from its start to its end; beside the BEAM
//! (`bench/peers/actor_bench.exs spawn 100000`, `callreg`, `churn 0 4 100000`).
//!
//! Lines are `sessions,<scenario>,<metric>,<value>`; memory and CPU first, since machines are noisy. `cargo bench -p labs_session_workers`.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![expect(clippy::expect_used, reason = "a benchmark that can't go on shall stop")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use labs_session_workers::{Limits, OpenError, Reply, Session, Sessions};

/// A cart with three lines, as in the BEAM's benchmark.
struct Cart(HashMap<u32, u32>);

impl Session for Cart {
    type Key = u64;
    type Message = Reply<u32>;
    type World = ();

    async fn open(_key: &u64, _world: &Arc<()>) -> Result<Self, OpenError> {
        Ok(Self([(1, 1), (2, 1), (3, 1)].into()))
    }

    async fn handle(&mut self, reply: Reply<u32>) {
        reply.send(self.0.values().sum());
    }
}

const LIMITS: Limits = Limits {
    workers: usize::MAX,
    mailbox: 64,
    idle: Duration::from_hours(1),
    patience: Duration::from_mins(1),
    intensity: labs_session_workers::Intensity { restarts: 3, period: Duration::from_secs(5) },
};

fn main() {
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        tokio::spawn(memory()).await.expect("the scenario");
        tokio::spawn(calls()).await.expect("the scenario");
        tokio::spawn(churn()).await.expect("the scenario");
    });
}

async fn total(carts: &Sessions<Cart>, key: u64) {
    assert_eq!(carts.call(&key, |reply| reply).await, Ok(3), "the cart's three pieces");
}

/// A hundred thousand workers that wait.
async fn memory() {
    let before = resident();
    let carts = Sessions::<Cart>::start(LIMITS, Arc::new(()));
    for key in 0..100_000 {
        total(&carts, key).await;
    }
    println!("sessions,mem_100000,bytes_per_worker,{}", (resident() - before) / 100_000);
    carts.shut_down(Duration::from_mins(1)).await;
}

/// A hundred clients to ten thousand workers, found by name each time.
async fn calls() {
    let carts = Sessions::<Cart>::start(LIMITS, Arc::new(()));
    for key in 0..10_000 {
        total(&carts, key).await;
    }
    let (before, start) = (cpu(), Instant::now());
    run(&carts, 100, |carts, client| async move {
        for n in 0..10_000 {
            total(&carts, (client * 97 + n * 7_919) % 10_000).await;
        }
    })
    .await;
    println!("sessions,call_100to10k_by_name,cpu_us_per_op,{:.3}", (cpu() - before) / 1_000_000.0);
    println!("sessions,call_100to10k_by_name,ops_per_s,{:.0}", 1_000_000.0 / start.elapsed().as_secs_f64());
}

/// Start by first use, call, stop, and the name is free.
async fn churn() {
    let carts = Sessions::<Cart>::start(LIMITS, Arc::new(()));
    let (before, start) = (cpu(), Instant::now());
    run(&carts, 4, |carts, client| async move {
        for n in 0..100_000 {
            let key = client * 1_000_000 + n;
            total(&carts, key).await;
            carts.close(&key).await;
        }
    })
    .await;
    println!("sessions,start_call_stop,cpu_us_per_cycle,{:.3}", (cpu() - before) / 400_000.0);
    println!("sessions,start_call_stop,cycles_per_s,{:.0}", 400_000.0 / start.elapsed().as_secs_f64());
    assert!(carts.registry().is_empty(), "no name is left");
}

async fn run<F>(carts: &Sessions<Cart>, clients: u64, work: impl Fn(Sessions<Cart>, u64) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let running: Vec<_> = (0..clients).map(|client| tokio::spawn(work(carts.clone(), client))).collect();
    for client in running {
        client.await.expect("the client");
    }
}

fn resident() -> u64 {
    let statm = std::fs::read_to_string("/proc/self/statm").expect("statm");
    let pages: u64 = statm.split(' ').nth(1).and_then(|n| n.parse().ok()).expect("resident pages");
    pages * 4096
}

/// CPU time of all threads, in microseconds; counted by the kernel in hundredths of a second.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("stat");
    let after = stat.rsplit(')').next().expect("fields after the name");
    let field = |n: usize| after.split_whitespace().nth(n).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    (field(11) + field(12)) as f64 * 10_000.0
}
