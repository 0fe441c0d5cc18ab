//! The measures, while another thread keeps a processor busy.

use std::hint::black_box;
use std::sync::atomic::{AtomicBool, Ordering};

use gate::{Paired, alloc, cpu, growth, paired};

/// Runs `act` beside two threads that do nothing but work.
fn busily(act: impl FnOnce()) {
    let over = AtomicBool::new(false);
    std::thread::scope(|threads| {
        for _ in 0..2 {
            threads.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    black_box(work(1_000));
                }
            });
        }
        act();
        over.store(true, Ordering::Relaxed);
    });
}

fn work(steps: u64) -> u64 {
    (0..steps).fold(1, |x, n| black_box(x ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(7))
}

#[test]
fn allocations_are_counted_to_the_byte_and_of_this_thread_alone() {
    busily(|| {
        let costs: Vec<_> = (0..50)
            .map(|_| {
                let job = || {
                    let kept: Vec<String> = (0..10).map(|n| "x".repeat(n + 1)).collect();
                    drop(vec![0_u8; 1000]);
                    kept
                };
                alloc::here(job).1
            })
            .collect();
        // Ten strings, their vector, the short-lived 1,000 bytes.
        assert_eq!((costs[0].times, costs[0].bytes), (12, 55 + 240 + 1000));
        assert_eq!(costs[0].peak, 55 + 240 + 1000);
        assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
    });
}

#[test]
fn a_peak_inside_a_measured_piece_is_seen_by_whoever_measures_around_it() {
    let (inner, outer) = alloc::here(|| alloc::here(|| drop(vec![0_u8; 5000])).1);
    assert_eq!((inner.peak, outer.peak), (5000, 5000));
    let (second, _) = alloc::here(|| alloc::here(|| drop(vec![0_u8; 10])).1);
    assert_eq!(second.peak, 10, "what was before does not count");
}

#[test]
fn linear_and_quadratic_never_overlap_on_busy_processors() {
    let time = |steps: u64| cpu(|| _ = black_box(work(steps))).as_secs_f64();
    busily(|| {
        for _ in 0..5 {
            let linear = growth(2_000, |n| time(n as u64 * 10));
            let quadratic = growth(100, |n| time((n * n) as u64));
            assert!((0.5..1.5).contains(&linear), "linear: {linear}");
            assert!((1.5..2.7).contains(&quadratic), "quadratic: {quadratic}");
        }
    });
}

#[test]
fn a_count_grows_with_its_exact_exponent() {
    assert!(growth(10, |_| 7.0).abs() < 1e-9);
    assert!((growth(10, |n| 3.0 * f64::from(u32::try_from(n).unwrap())) - 1.0).abs() < 1e-9);
}

#[test]
fn a_ratio_far_from_the_limit_is_decided_on_busy_processors() {
    let work = |steps: u64| move || _ = black_box(work(steps));
    busily(|| {
        let twice = paired(4.0, work(50_000), work(100_000));
        assert!(matches!(twice, Paired::Within(..)), "{twice:?}");
        let eight_times = paired(4.0, work(20_000), work(160_000));
        assert!(matches!(eight_times, Paired::Over(..)), "{eight_times:?}");
    });
}

#[test]
#[should_panic(expected = "the limit is 2.00")]
fn what_is_over_the_limit_for_sure_is_refused() {
    Paired::Over(2.5, 3.0, 3.5).accept(2.0);
}

#[test]
fn what_is_undecided_is_let_pass() {
    Paired::Undecided(1.5, 2.0, 2.5).accept(2.0);
}
