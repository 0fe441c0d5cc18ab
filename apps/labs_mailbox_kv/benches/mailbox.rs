//! What a call costs, beside the BEAM's `GenServer.call` (`bench/peers/actor_bench.exs call1`, `call100`).
//!
//! Lines are `mailbox,<scenario>,<metric>,<value>`; CPU first, since machines are noisy. `cargo bench -p labs_mailbox_kv`.
#![expect(clippy::print_stdout, reason = "a benchmark's result is what it prints")]
#![expect(clippy::expect_used, reason = "a benchmark that can't go on shall stop")]
#![expect(clippy::cast_precision_loss, reason = "figures are rounded for people")]

use std::time::{Duration, Instant};

use labs_mailbox_kv::{Keep, Kv, Limits, Received, Reply, mailbox};

const PATIENCE: Duration = Duration::from_mins(1);

fn main() {
    if std::env::args().any(|arg| arg == "--list") {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.expect("a runtime").block_on(async {
        // In tasks: the main thread is no worker and would add a hop to each call.
        for (scenario, clients, each) in [("call_1to1", 1, 300_000), ("call_100to1", 100, 10_000)] {
            tokio::spawn(calls(scenario, clients, each)).await.expect("the scenario");
        }
        for (scenario, ttl) in [("put_100to1", None), ("put_100to1_ttl", Some(PATIENCE))] {
            tokio::spawn(puts(scenario, ttl)).await.expect("the scenario");
        }
    });
}

/// Bare calls: what the mailbox and the way back cost.
async fn calls(scenario: &'static str, clients: u64, each: u64) {
    let (address, mut inbox) = mailbox::<Reply<u64>>(1_000);
    let server = tokio::spawn(async move {
        let mut total = 0;
        while let Received::Message(reply) = inbox.receive(None).await {
            total += 1;
            reply.send(total);
        }
    });
    measure(scenario, clients, each, |_| {
        let address = address.clone();
        async move {
            for _ in 0..each {
                address.call(PATIENCE, |reply| reply).await.expect("an answer");
            }
        }
    })
    .await;
    address.close();
    server.await.expect("the server");
}

/// Writes to the key-value server.
async fn puts(scenario: &'static str, ttl: Option<Duration>) {
    let kv = Kv::start(Limits { patience: PATIENCE, ..Limits::default() });
    measure(scenario, 100, 5_000, |client| {
        let kv = kv.clone();
        async move {
            let keep = ttl.map_or_else(Keep::forever, |ttl| Keep::forever().at_most(ttl));
            for n in 0..5_000_u64 {
                let key = format!("{client} {}", n % 100);
                kv.put(&key, n, keep.clone()).await.expect("there is room");
            }
        }
    })
    .await;
}

async fn measure<F>(scenario: &str, clients: u64, each: u64, work: impl Fn(u64) -> F)
where
    F: Future<Output = ()> + Send + 'static,
{
    let (before, start) = (cpu(), Instant::now());
    let running: Vec<_> = (0..clients).map(|client| tokio::spawn(work(client))).collect();
    for client in running {
        client.await.expect("the client");
    }
    let (used, took) = (cpu() - before, start.elapsed());
    let n = (clients * each) as f64;
    println!("mailbox,{scenario},cpu_us_per_op,{:.3}", used / n);
    println!("mailbox,{scenario},ops_per_s,{:.0}", n / took.as_secs_f64());
}

/// CPU time of all threads, in microseconds; counted by the kernel in hundredths of a second.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("stat");
    let after = stat.rsplit(')').next().expect("fields after the name");
    let field = |n: usize| after.split_whitespace().nth(n).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    (field(11) + field(12)) as f64 * 10_000.0
}
