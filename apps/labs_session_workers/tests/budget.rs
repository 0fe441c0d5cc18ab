//! The budgets of `labs_session_workers`. All but one are counts: the same on any machine.

#[path = "gate/room.rs"]
#[expect(dead_code, reason = "the gate's other tests use the rest")]
mod room;

use std::cell::Cell;
use std::hash::{Hash, Hasher};

use labs_session_workers::{Address, Registry};
use room::{LIMITS, World, add, rooms};

#[global_allocator]
static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;

const LAB: &str = include_str!("../lab.toml");

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(count: u64, of: u64) -> f64 {
    count as f64 / of as f64
}

thread_local! {
    static HASHES: Cell<u64> = const { Cell::new(0) };
    static COMPARISONS: Cell<u64> = const { Cell::new(0) };
}

/// A key that counts what is done with it.
#[derive(Clone, Eq)]
struct Counted(u32);

impl Hash for Counted {
    fn hash<H: Hasher>(&self, state: &mut H) {
        HASHES.set(HASHES.get() + 1);
        self.0.hash(state);
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        COMPARISONS.set(COMPARISONS.get() + 1);
        self.0 == other.0
    }
}

/// A name is found in one look, with ten names and with ten thousand.
///
/// Holes: `claim`, `release`.
#[test]
fn a_name_is_found_in_one_look() {
    gate::check(|| {
        for names in [10_u32, 10_000] {
            let registry: Registry<Counted, ()> = Registry::default();
            let (address, _post) = Address::new(1);
            COMPARISONS.set(0);
            let mut held = Vec::new();
            for key in 0..names {
                let name = registry.claim(&Counted(key), &address);
                assert!(name.is_ok(), "key {key} is free");
                held.push(name);
            }
            let (used, limit) =
                (ratio(COMPARISONS.get(), u64::from(names)), gate::limit(LAB, "comparisons_a_lookup"));
            assert!(used <= limit, "{used} comparisons to claim one of {names} names; the limit is {limit}");
            HASHES.set(0);
            COMPARISONS.set(0);
            for n in 0..1_000 {
                assert!(registry.whereis(&Counted(n % names)).is_some(), "it was claimed");
            }
            let (used, limit) = (ratio(HASHES.get(), 1_000), gate::limit(LAB, "hashes_a_lookup"));
            assert!(used <= limit, "{used} hashes a lookup among {names} names; the limit is {limit}");
            let (used, limit) = (ratio(COMPARISONS.get(), 1_000), gate::limit(LAB, "comparisons_a_lookup"));
            assert!(used <= limit, "{used} comparisons a lookup among {names} names; the limit is {limit}");
        }
    });
}

/// Taking a name and freeing it cost the same, however many there are.
///
/// Holes: `claim`, `release`.
#[test]
fn names_come_and_go_without_a_look_at_all_others() {
    gate::check(|| {
        let turn_over = |n: usize| {
            let keys: Vec<String> = (0..n).map(|key| key.to_string()).collect();
            let registry: Registry<String, ()> = Registry::default();
            let (address, _post) = Address::new(1);
            let time = gate::cpu(|| {
                let held: Vec<_> = keys.iter().map(|key| registry.claim(key, &address)).collect();
                assert_eq!(
                    (held.iter().filter(|name| name.is_ok()).count(), registry.len()),
                    (n, n),
                    "all are free"
                );
                drop(held);
            });
            assert!(registry.is_empty(), "all are free again");
            time.as_secs_f64()
        };
        let (exponent, limit) = (gate::growth(400, turn_over), gate::limit(LAB, "growth_of_n_names"));
        assert!(exponent <= limit, "n names cost n^{exponent:.2}; the limit is n^{limit}");
    });
}

/// A call to a worker that is awake allocates for its answer and little else.
///
/// Holes: `deliver`, `find_or_start`.
#[test]
fn a_call_costs_a_few_allocations() {
    gate::check(|| {
        let calls = || {
            gate::virtually(async || {
                let (rooms, _world) = rooms(LIMITS, World::default());
                for n in 1..=10_000 {
                    assert_eq!(add(&rooms, 1).await, Ok(n), "it is awake, and answers");
                }
            });
        };
        let ((), cost) = gate::alloc::here(calls);
        let (used, limit) = (ratio(cost.times, 10_000), gate::limit(LAB, "allocations_a_call"));
        assert!(used <= limit, "{used:.2} allocations a call; the limit is {limit}");
    });
}

/// A worker is one task.
///
/// Holes: `find_or_start`, `claim`.
#[test]
fn a_worker_is_one_task() {
    gate::paused(async || {
        let (rooms, _world) = rooms(LIMITS, World::default());
        let before = tokio::runtime::Handle::current().metrics().num_alive_tasks();
        for key in 0..1_000 {
            assert_eq!(add(&rooms, key).await, Ok(1), "its first message");
        }
        let tasks = tokio::runtime::Handle::current().metrics().num_alive_tasks() - before;
        let (used, limit) = (ratio(tasks as u64, 1_000), gate::limit(LAB, "tasks_a_worker"));
        assert!(used <= limit, "{used} tasks a worker; the limit is {limit}");
    });
}

/// A session that was started and stopped leaves nothing behind.
///
/// Holes: `ended`, `release`, `live`.
#[test]
fn starts_and_stops_leave_nothing_behind() {
    gate::check(|| {
        let cycles = |n: usize| {
            let run = || {
                gate::virtually(async || {
                    let (rooms, world) = rooms(LIMITS, World::default());
                    for _ in 0..n {
                        let key = u32::try_from(world.opens.get()).expect("a small number");
                        let answer = add(&rooms, key).await;
                        assert_eq!(answer, Ok(1), "its first message");
                        // What the world stores is not the workers' to free.
                        world.stored.lock().expect("nobody panics under it").clear();
                        rooms.close(&key).await;
                    }
                    assert!(rooms.registry().is_empty(), "a name is left that nobody answers to");
                });
            };
            let ((), cost) = gate::alloc::here(run);
            ratio(cost.peak, 1)
        };
        let (exponent, limit) = (gate::growth(200, cycles), gate::limit(LAB, "growth_of_what_is_left"));
        assert!(
            exponent <= limit,
            "after n starts and stops n^{exponent:.2} is left; the limit is n^{limit}"
        );
    });
}
