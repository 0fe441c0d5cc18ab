//! Crashes, panics, a stop in the middle.

use std::sync::Arc;
use std::time::Duration;

use gate::proptest::collection::vec;
use gate::proptest::prelude::{Just, Strategy};
use gate::proptest::prop_oneof;
use labs_ingest::Totals;
use tokio::time::{sleep, timeout};

use crate::depot::{Depot, Fate, Plant, SMALL, Works, settled_once};

/// A message is settled only after it was written: what a crash leaves is lent again, and nothing is lost.
///
/// Hole: `processed`.
#[test]
fn a_crash_in_mid_batch_loses_nothing() {
    gate::paused(async || {
        let works = Arc::new(Works { writing: Duration::from_mins(1), ..Works::default() });
        let depot = Depot::of([Fate::Fine; 23]);
        let first = Plant { works, ..Plant::new(Arc::clone(&depot)) };
        let crashed = timeout(Duration::from_secs(30), first.run(SMALL)).await;
        assert!(crashed.is_err() && first.works.written().is_empty(), "it crashes before any write is done");
        let lost = 23 - depot.open_messages();
        assert_eq!(lost, 0, "{lost} messages were settled and never written");
        depot.reopen();
        let second = Plant::new(depot);
        assert_eq!(second.run(SMALL).await, Totals { done: 23, failed: 0 });
        assert_eq!(second.works.written().len(), 23);
    });
}

/// A batch is written as a whole or not at all; all of a failed one are buried with the reason, and nobody else is.
///
/// Hole: `written`.
#[test]
fn a_batch_that_can_not_be_written_is_buried_as_a_whole() {
    gate::paused(async || {
        let mut fates = [Fate::Fine; 10];
        fates[1] = Fate::Unwritable;
        let plant = Plant::new(Depot::of(fates));
        let totals = plant.run(SMALL).await;
        let letters = plant.depot.graves.letters();
        assert!(
            letters.contains_key(&1),
            "message 1 can't be written, and is not among the dead letters: {letters:?}"
        );
        assert!(letters.values().all(|reason| reason == "no room for message 1"), "{letters:?}");
        assert_eq!(totals, Totals { done: 10 - letters.len(), failed: letters.len() });
        assert!(plant.works.written().iter().all(|name| !letters.contains_key(name)), "written, and buried");
    });
}

/// A task that panics takes no message with it: what it had in its hands is buried and settled.
///
/// Hole: `written`.
#[test]
fn a_write_that_panics_loses_no_message() {
    gate::paused(async || {
        let mut fates = [Fate::Fine; 10];
        fates[7] = Fate::Explodes;
        let plant = Plant::new(Depot::of(fates));
        plant.run(SMALL).await;
        let open = plant.depot.open_messages();
        assert_eq!(open, 0, "{open} messages are neither done nor failed");
        let letters = plant.depot.graves.letters();
        assert_eq!(letters.get(&7).map(String::as_str), Some("panicked: message 7 breaks the store"));
    });
}

/// Whatever fails and wherever, every message is settled exactly once, as what became of it.
///
/// Hole: `written`.
#[test]
fn whatever_fails_every_message_is_settled_once() {
    let fate = prop_oneof![
        6 => Just(Fate::Fine),
        1 => Just(Fate::Refused),
        1 => Just(Fate::Panics),
        1 => Just(Fate::Unwritable),
        1 => Just(Fate::Explodes),
    ];
    settled_once(vec(fate, 0..40).boxed());
}

/// A stop takes nothing more, and finishes what was taken, without waiting for what will not come.
///
/// Hole: `drain`.
#[test]
fn a_stop_finishes_what_was_taken_and_takes_no_more() {
    gate::paused(async || {
        let works = Arc::new(Works { processing: Duration::from_millis(100), ..Works::default() });
        let plant = Plant { works, ..Plant::new(Depot::open()) };
        let patient = labs_ingest::Settings { patience: Duration::from_hours(1), ..SMALL };
        for _ in 0..3 {
            plant.depot.bring(Fate::Fine);
        }
        let stop = async {
            sleep(Duration::from_millis(150)).await;
            plant.stop.ask();
            plant.depot.bring(Fate::Fine);
        };
        let soon = timeout(Duration::from_secs(10), plant.run(patient));
        let (ended, ()) = tokio::join!(soon, stop);
        assert_eq!(
            ended,
            Ok(Totals { done: 3, failed: 0 }),
            "it waited for a batch that nothing more comes into"
        );
        assert_eq!(plant.works.written().len(), 3, "the half-filled batch is written");
        assert_eq!(plant.depot.open_messages(), 1, "what came after the stop stays at the source");
    });
}

/// A stop does not wait for a source that has nothing.
///
/// Hole: `drain`.
#[test]
fn a_stop_ends_an_idle_pipeline() {
    gate::paused(async || {
        let plant = Plant::new(Depot::open());
        plant.depot.bring(Fate::Fine);
        let stop = async {
            sleep(Duration::from_secs(30)).await;
            plant.stop.ask();
        };
        let ended = tokio::join!(timeout(Duration::from_mins(1), plant.run(SMALL)), stop).0;
        assert_eq!(ended, Ok(Totals { done: 1, failed: 0 }));
    });
}
