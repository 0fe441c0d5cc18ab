//! The budgets of `labs_counter_ttl`. All but one are counts: the same on any machine.

#[path = "gate/probe.rs"]
#[expect(dead_code, reason = "the gate's other tests use the rest")]
mod probe;

use std::time::Duration;

use labs_counter_ttl::{Counters, Restart, Settings};
use tokio::time::{Instant, sleep};

use probe::{SECOND, Tell, counter, lone, settle};

#[global_allocator]
static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;

const LAB: &str = include_str!("../lab.toml");

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

/// A key costs the same however often it is updated: it has one entry in the queue.
///
/// Holes: `update`, `sweep`.
#[test]
fn a_busy_key_costs_no_more_than_an_idle_one() {
    gate::check(|| {
        let start = Instant::now();
        let key = ["a".to_owned()];
        let mut counters = Counters::new(Duration::from_mins(1), 10);
        let busy = || {
            for n in 0..100_000 {
                let now = start + Duration::from_millis(n);
                let counted = counters.update(now, &key, |_, n| n + 1).map(|changes| changes[0].value);
                assert_eq!(counted, Ok(n + 1), "a millisecond apart, of a minute");
            }
        };
        let ((), cost) = gate::alloc::here(busy);
        let (used, limit) = (ratio(cost.peak, 1), gate::limit(LAB, "bytes_of_a_busy_key"));
        assert!(used <= limit, "{used} bytes for one key that was updated often; the limit is {limit}");
    });
}

/// A key that expires needs no task and no timer of its own.
///
/// Holes: `change`, `live`.
#[test]
fn keys_need_no_tasks() {
    gate::paused(async || {
        let (_supervised, client) = counter(Settings::default());
        for n in 0..50 {
            let keys: Vec<String> = (0..100).map(|key| format!("{n} {key}")).collect();
            assert!(client.update(keys, |_, n| n + 1).await.is_ok(), "there is room");
        }
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks() as u64;
        let (used, limit) = (ratio(tasks, 1), gate::limit(LAB, "tasks"));
        assert!(used <= limit, "{used} tasks for one server with 5,000 keys; the limit is {limit}");
    });
}

/// The heir keeps what lives, and no more.
///
/// Holes: `change`, `live`.
#[test]
fn the_heir_keeps_the_living_alone() {
    gate::paused(async || {
        let (_supervised, client) = counter(Settings { ttl: 10 * SECOND, ..Settings::default() });
        for generation in 0..20 {
            let keys: Vec<String> = (0..100).map(|key| format!("{generation} {key}")).collect();
            assert!(client.update(keys, |_, n| n + 1).await.is_ok(), "there is room");
            sleep(11 * SECOND).await;
            if generation < 19 {
                continue;
            }
            settle().await;
        }
        let keys: Vec<String> = (0..100).map(|key| key.to_string()).collect();
        assert!(client.update(keys, |_, n| n + 1).await.is_ok(), "there is room");
        let facts = client.inherited() as u64;
        let (used, limit) = (ratio(facts, 100), gate::limit(LAB, "facts_a_living_key"));
        assert!(used >= 1.0, "the heir has {facts} facts of 100 living keys");
        assert!(used <= limit, "the heir has {facts} facts of 100 living keys; the limit is {limit} a key");
    });
}

/// A server that has nothing to do is woken by its ticks and by nothing else.
///
/// Hole: `live`.
#[test]
fn an_idle_server_is_woken_by_its_ticks_alone() {
    gate::paused(async || {
        let (_supervised, handle, diary) = lone(Restart::Permanent, 60 * SECOND);
        assert_eq!(handle.call(SECOND, Tell::Hello).await, Ok(1), "it runs");
        // A parked runtime is one in which everybody sleeps: each park ends with somebody who is woken.
        let metrics = tokio::runtime::Handle::current().metrics();
        let before = metrics.worker_park_count(0);
        sleep(Duration::from_hours(1) + SECOND).await;
        let parks = metrics.worker_park_count(0) - before;
        let ticks = diary.count("probe ticks") as u64;
        assert_eq!(ticks, 60, "an hour of minutes");
        let (used, limit) = (ratio(parks, ticks), gate::limit(LAB, "wakeups_a_tick"));
        assert!(used <= limit, "woken {used:.1} times a tick; the limit is {limit}");
    });
}

/// What an update costs does not grow with what else is kept.
///
/// Holes: `update`, `sweep`.
#[test]
fn an_update_does_not_look_at_all_that_is_kept() {
    gate::check(|| {
        let start = Instant::now();
        let fill = |n: usize| {
            let mut counters = Counters::new(Duration::from_hours(1), usize::MAX);
            let keys: Vec<[String; 1]> = (0..n).map(|key| [key.to_string()]).collect();
            let time = gate::cpu(|| {
                for (at, key) in keys.iter().chain(&keys).enumerate() {
                    let now = start + Duration::from_millis(at as u64);
                    let counted = counters.update(now, key, |_, n| n + 1);
                    assert!(counted.is_ok(), "there is no bound here");
                }
            });
            assert_eq!(counters.len(), n, "nothing has expired");
            time.as_secs_f64()
        };
        let (exponent, limit) = (gate::growth(400, fill), gate::limit(LAB, "growth_of_n_updates"));
        assert!(exponent <= limit, "n updates cost n^{exponent:.2}; the limit is n^{limit}");
    });
}

/// What is told to the heir is the change, and not all that is kept.
///
/// Hole: `change`.
#[test]
fn the_heir_is_told_of_the_change_alone() {
    gate::check(|| {
        // The bytes that are allocated by so many updates of one key, beside so many others.
        let bytes = |others: usize, updates: u64| {
            let run = || {
                gate::virtually(async || {
                    let (_supervised, client) = counter(Settings::default());
                    let others = (0..others).map(|key| format!("other {key}")).collect();
                    assert!(client.update(others, |_, n| n + 1).await.is_ok(), "there is room");
                    for n in 1..=updates {
                        assert_eq!(client.increment("a").await, Ok(n), "one more");
                    }
                });
            };
            gate::alloc::here(run).1.bytes
        };
        let beside = |others: usize| bytes(others, 101) - bytes(others, 1);
        let (few, many) = (beside(10), beside(5_000));
        let (used, limit) = (ratio(many, few), gate::limit(LAB, "growth_of_an_update"));
        assert!(
            used <= limit,
            "an update beside 5,000 keys allocates {used:.1} times as much; the limit is {limit}"
        );
    });
}

/// An update of many keys costs what its keys cost, each for itself.
///
/// Hole: `update`.
#[test]
fn a_batch_costs_what_its_keys_cost() {
    gate::check(|| {
        let now = Instant::now();
        let batch = |n: usize| {
            let keys: Vec<String> = (0..n).map(|key| key.to_string()).collect();
            let mut counters = Counters::new(Duration::from_hours(1), usize::MAX);
            let time = gate::cpu(|| {
                let counted = counters.update(now, &keys, |_, n| n + 1);
                assert!(counted.is_ok(), "there is no bound here");
            });
            assert_eq!(counters.len(), n, "each key is kept");
            time.as_secs_f64()
        };
        let (exponent, limit) = (gate::growth(800, batch), gate::limit(LAB, "growth_of_n_updates"));
        assert!(exponent <= limit, "an update of n keys costs n^{exponent:.2}; the limit is n^{limit}");
    });
}
