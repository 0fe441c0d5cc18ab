//! What a pipeline does on a good day, and with messages that are bad.

use std::sync::Arc;
use std::time::Duration;

use labs_ingest::Totals;
use tokio::time::{Instant, sleep};

use crate::depot::{Depot, Fate, Plant, SMALL, Works};

/// What was taken is processed, written in batches, and settled as done.
///
/// Hole: `processed`.
#[test]
fn every_message_is_written_and_settled() {
    gate::paused(async || {
        let plant = Plant::new(Depot::of([Fate::Fine; 12]));
        assert_eq!(plant.run(SMALL).await, Totals { done: 12, failed: 0 });
        let mut written = plant.works.written();
        written.sort_unstable();
        assert_eq!(written, (0..12).collect::<Vec<_>>(), "each is written once");
        assert_eq!(plant.depot.open_messages(), 0, "and settled");
    });
}

/// A batch that is full is written at once: nobody waits for a clock.
///
/// Hole: `push`.
#[test]
fn a_full_batch_is_written_at_once() {
    gate::paused(async || {
        let plant = Plant::new(Depot::open());
        let started = Instant::now();
        for _ in 0..5 {
            plant.depot.bring(Fate::Fine);
        }
        let watch = async {
            while plant.works.batches().is_empty() {
                sleep(Duration::from_millis(1)).await;
            }
            plant.stop.ask();
            started.elapsed()
        };
        let (_, waited) = tokio::join!(plant.run(SMALL), watch);
        assert!(waited < SMALL.patience, "five of five were there, and waited for {waited:?}");
        assert_eq!(plant.works.batches().len(), 1);
    });
}

/// Nobody waits for longer than the batch's patience, however few come.
///
/// Hole: `tick`.
#[test]
fn a_lone_message_waits_no_longer_than_the_patience() {
    gate::paused(async || {
        let plant = Plant::new(Depot::open());
        plant.depot.bring(Fate::Fine);
        let watch = async {
            sleep(SMALL.patience + Duration::from_millis(10)).await;
            let written = plant.works.written();
            plant.stop.ask();
            written
        };
        let (_, written) = tokio::join!(plant.run(SMALL), watch);
        assert_eq!(written, [0], "the message is still waiting after the patience of its batch");
    });
}

/// Patience counts from the first message of a batch: a trickle does not put the write off.
///
/// Hole: `push`.
#[test]
fn a_trickle_does_not_put_the_write_off() {
    gate::paused(async || {
        let plant = Plant::new(Depot::open());
        let trickle = async {
            for _ in 0..4 {
                plant.depot.bring(Fate::Fine);
                sleep(SMALL.patience * 2 / 5).await;
            }
            let written = plant.works.written();
            plant.stop.ask();
            written
        };
        let (_, written) = tokio::join!(plant.run(SMALL), trickle);
        assert_eq!(written.first(), Some(&0), "the first message waited for the later ones");
    });
}

/// Who comes within the patience of the first is written with it: a pipeline that has nothing to do does not write one by one.
///
/// Holes: `drain`, `push`.
#[test]
fn those_who_come_within_the_patience_are_written_together() {
    gate::paused(async || {
        let plant = Plant::new(Depot::open());
        let quiet_day = async {
            for _ in 0..3 {
                plant.depot.bring(Fate::Fine);
                sleep(SMALL.patience / 5).await;
            }
            sleep(SMALL.patience).await;
            plant.stop.ask();
        };
        tokio::join!(plant.run(SMALL), quiet_day);
        assert_eq!(plant.works.batches(), [[0, 1, 2]], "batches of three that came within the patience");
    });
}

/// A patience without an end waits for full batches: no moment is too far away to be waited for.
///
/// Hole: `push`.
#[test]
fn a_patience_without_an_end_waits_for_full_batches() {
    gate::paused(async || {
        let plant = Plant::new(Depot::of([Fate::Fine; 10]));
        let totals = plant.run(labs_ingest::Settings { patience: Duration::MAX, ..SMALL }).await;
        assert_eq!(totals, Totals { done: 10, failed: 0 }, "two batches of five");
    });
}

/// A message that can't be worked on is buried with its reason, settled as failed, and holds up nobody.
///
/// Hole: `processed`.
#[test]
fn a_bad_message_is_buried_with_its_reason() {
    gate::paused(async || {
        let plant = Plant::new(Depot::of([Fate::Fine, Fate::Refused, Fate::Panics, Fate::Fine]));
        assert_eq!(plant.run(SMALL).await, Totals { done: 2, failed: 2 });
        let letters = plant.depot.graves.letters();
        assert_eq!(letters.get(&1).map(String::as_str), Some("message 1 makes no sense"));
        assert_eq!(letters.get(&2).map(String::as_str), Some("panicked: message 2 is poison"));
        assert_eq!((plant.depot.done(), plant.depot.failed().len()), (vec![0, 3], 2));
    });
}

/// Processors work side by side, and there are no more of them than was said.
///
/// Hole: `processed`.
#[test]
fn processors_work_side_by_side() {
    gate::paused(async || {
        let works = Arc::new(Works { processing: Duration::from_secs(1), ..Works::default() });
        let plant = Plant { works, ..Plant::new(Depot::of([Fate::Fine; 10])) };
        plant.run(SMALL).await;
        assert_eq!(plant.works.busy.deepest(), 2);
    });
}
