//! A hit through the cache against a hit in moka itself: `cargo bench -p pulse_cache`.
//!
//! Runs both in turn and reports the medians, so that a noisy machine disturbs both alike.

use std::hint::black_box;
use std::time::Instant;

use moka::future::Cache;
use pulse_cache::{Options, ReadThrough};

const KEYS: u64 = 5_000;
const LOOKUPS: u64 = 500_000;
const ROUNDS: usize = 9;

#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints its figures")]
#[tokio::main(flavor = "current_thread")]
async fn main() {
    let bare: Cache<u64, u64> = Cache::new(KEYS * 2);
    let ours: ReadThrough<u64, u64> = ReadThrough::new(Options::default());
    for key in 0..KEYS {
        bare.insert(key, key).await;
        black_box(ours.get_or_load(&key, async || Ok::<_, String>(Some(key))).await.is_ok());
    }
    let (mut theirs_ns, mut ours_ns) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        for lookup in 0..LOOKUPS {
            black_box(bare.get(&(lookup % KEYS)).await);
        }
        theirs_ns.push(begun.elapsed().as_nanos() as f64 / LOOKUPS as f64);
        let begun = Instant::now();
        for lookup in 0..LOOKUPS {
            let load = async || Ok::<_, String>(None);
            black_box(ours.get_or_load(&(lookup % KEYS), load).await.is_ok());
        }
        ours_ns.push(begun.elapsed().as_nanos() as f64 / LOOKUPS as f64);
    }
    theirs_ns.sort_by(f64::total_cmp);
    ours_ns.sort_by(f64::total_cmp);
    let (theirs, ours) = (theirs_ns[ROUNDS / 2], ours_ns[ROUNDS / 2]);
    println!("cache hit: moka {theirs:.0} ns, pulse_cache {ours:.0} ns, ratio {:.2}", ours / theirs);
}
