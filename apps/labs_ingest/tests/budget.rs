//! The budgets of `labs_ingest`. All are counts: the same on any machine.

#[path = "gate/depot.rs"]
#[expect(dead_code, reason = "the gate's other tests use the rest")]
mod depot;

use std::sync::Arc;
use std::time::Duration;

use depot::{Depot, Fate, Plant, Works};
use labs_ingest::{Settings, Totals};

#[global_allocator]
static ALLOCATOR: gate::alloc::Counting = gate::alloc::Counting;

const LAB: &str = include_str!("../lab.toml");
const MANY: usize = 10_000;
const SETTINGS: Settings =
    Settings { demand: 400, processors: 8, batch: 100, patience: Duration::from_secs(1) };

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
fn ratio(count: u64, of: usize) -> f64 {
    count as f64 / of as f64
}

fn many() -> Plant {
    Plant::new(Depot::of(std::iter::repeat_n(Fate::Fine, MANY)))
}

/// What is in flight never exceeds the demand, however slow the slowest stage is.
///
/// Hole: `room`.
#[test]
fn in_flight_stays_within_the_demand() {
    gate::paused(async || {
        let works = Arc::new(Works { writing: Duration::from_secs(5), ..Works::default() });
        let plant = Plant { works, ..many() };
        assert_eq!(plant.run(SETTINGS).await, Totals { done: MANY, failed: 0 });
        let deepest = u64::try_from(plant.depot.in_flight.deepest()).unwrap_or(0);
        let (used, limit) = (ratio(deepest, SETTINGS.demand), gate::limit(LAB, "in_flight_of_demand"));
        assert!(used <= limit, "{deepest} in flight, with a demand of {}", SETTINGS.demand);
    });
}

/// A source is asked when it is worth a call, not for every message.
///
/// Hole: `room`.
#[test]
fn a_source_is_asked_when_it_is_worth_a_call() {
    gate::paused(async || {
        let plant = many();
        plant.run(Settings { batch: 1, ..SETTINGS }).await;
        let takes = plant.depot.takes.get();
        let (used, limit) = (ratio(takes, MANY / SETTINGS.demand), gate::limit(LAB, "takes_a_demand"));
        assert!(used <= limit, "{takes} calls for {MANY} messages with a demand of {}", SETTINGS.demand);
    });
}

/// A batch is acknowledged in one call, also one that could not be written.
///
/// Hole: `written`.
#[test]
fn a_batch_is_acknowledged_in_one_call() {
    gate::paused(async || {
        let plant = many();
        plant.run(SETTINGS).await;
        let (settles, batches) = (plant.depot.settles.get(), plant.works.batches().len());
        let (used, limit) = (ratio(settles, batches), gate::limit(LAB, "settles_a_batch"));
        assert!(used <= limit, "{settles} acknowledgements for {batches} batches");
        let plant = Plant::new(Depot::of(std::iter::repeat_n(Fate::Unwritable, 1_000)));
        plant.run(SETTINGS).await;
        let settles = plant.depot.settles.get();
        let used = ratio(settles, 1_000 / SETTINGS.batch);
        assert!(used <= limit, "{settles} acknowledgements for 10 batches that could not be written");
    });
}

/// A message costs a few allocations, and as many on the last as on the first.
///
/// Hole: `push`.
#[test]
fn a_message_costs_a_few_allocations() {
    gate::check(|| {
        let plant = many();
        let (totals, cost) = gate::alloc::here(|| gate::virtually(async || plant.run(SETTINGS).await));
        assert_eq!(totals.done, MANY);
        let (used, limit) = (ratio(cost.times, MANY), gate::limit(LAB, "allocations_a_message"));
        assert!(used <= limit, "{used:.1} allocations a message; the limit is {limit}");
    });
}

/// A drain waits for the processors that are busy, and writes what they bring together.
///
/// Hole: `drain`.
#[test]
fn a_drain_waits_for_the_processors() {
    gate::paused(async || {
        let works = Arc::new(Works { processing: Duration::from_millis(100), ..Works::default() });
        let plant = Plant { works, ..Plant::new(Depot::of([Fate::Fine; 3])) };
        plant.run(Settings { processors: 1, ..SETTINGS }).await;
        let batches = plant.works.batches().len();
        assert!(batches == 1, "{batches} batches for 3 messages that were under way together");
    });
}

/// Those beside a message that is bad are written together: it closes no batch.
///
/// Hole: `processed`.
#[test]
fn a_bad_message_closes_no_batch() {
    gate::paused(async || {
        let works = Arc::new(Works { processing: Duration::from_millis(100), ..Works::default() });
        let fates = [Fate::Fine, Fate::Refused, Fate::Fine, Fate::Panics, Fate::Fine];
        let plant = Plant { works, ..Plant::new(Depot::of(fates)) };
        plant.run(Settings { processors: 1, ..SETTINGS }).await;
        assert_eq!(
            plant.works.batches(),
            [[0, 2, 4]],
            "batches of three that are fine among two that are bad"
        );
    });
}
