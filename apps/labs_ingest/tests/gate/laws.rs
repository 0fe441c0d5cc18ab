//! What holds for any messages.

use std::time::Duration;

use gate::proptest::collection::vec;
use gate::proptest::prelude::{Just, Strategy, any};
use gate::proptest::prop_oneof;
use labs_ingest::batcher::Batcher;
use labs_ingest::demand::Demand;
use tokio::time::Instant;

use crate::depot::{Fate, settled_once};

/// What is in flight and what is asked for are together never more than the demand; and with nothing in flight all of
/// it is asked for, so that a pipeline never stands still for ever.
///
/// Hole: `room`.
#[test]
fn room_is_never_more_than_what_is_free() {
    gate::law(200, (1_usize..50, vec(any::<u8>(), 0..100)), |(most, steps)| {
        let mut demand = Demand::new(most);
        for step in steps {
            let room = demand.room();
            let in_flight = demand.in_flight();
            assert!(room + in_flight <= most, "asks for {room} with {in_flight} of {most} in flight");
            assert!(
                room > 0 || in_flight > most / 2,
                "{in_flight} of {most} in flight, and it asks for none"
            );
            assert!(in_flight > 0 || room == most, "nothing is in flight, and it asks for {room} of {most}");
            // The source gives some of what was asked for, then some of what is in flight is settled.
            demand.took(room * usize::from(step % 3) / 2);
            demand.settled(demand.in_flight() * usize::from(step % 5) / 4);
        }
    });
}

/// Batches keep the order, none is too large, and the patience of each is that of the first message in it.
///
/// Hole: `push`.
#[test]
fn batches_are_in_order_within_size_and_within_patience() {
    gate::law(200, (1_usize..8, vec(0_u64..40, 0..60)), |(size, gaps)| {
        let patience = Duration::from_millis(100);
        let start = Instant::now();
        let mut batcher = Batcher::new(size, patience);
        let (mut now, mut first, mut seen) = (start, None, Vec::new());
        let mut look = |batch: Option<Vec<(usize, Instant)>>, at: Instant| {
            let batch = batch.unwrap_or_default();
            assert!(batch.len() <= size, "{} in a batch of {size}", batch.len());
            for (name, came) in batch {
                assert!(at - came <= patience, "message {name} waited for {:?}", at - came);
                seen.push(name);
            }
        };
        for (name, gap) in gaps.iter().enumerate() {
            now += Duration::from_millis(*gap);
            // The clock strikes whenever the batcher wants it to.
            while let Some(due) = batcher.due().filter(|due| *due <= now) {
                let batch = batcher.tick(due);
                assert!(batch.is_some(), "its time has come, and there is no batch");
                look(batch, due);
                first = None;
            }
            let full = batcher.push((name, now), now);
            first = if full.is_some() { None } else { first.or(Some(now)) };
            look(full, now);
            let due = first.map(|first| first + patience);
            assert_eq!(batcher.due(), due, "when the batch is due whose first message came at {first:?}");
            assert_eq!(batcher.tick(now), None, "its time has not come");
        }
        look(batcher.flush(), now);
        assert_eq!(seen, (0..gaps.len()).collect::<Vec<_>>());
    });
}

/// Every message that was taken is settled exactly once: as done if it was written, as failed if it was buried.
///
/// Hole: `processed`.
#[test]
fn every_message_is_settled_once_as_what_became_of_it() {
    let fate = prop_oneof![6 => Just(Fate::Fine), 1 => Just(Fate::Refused), 1 => Just(Fate::Panics)];
    settled_once(vec(fate, 0..40).boxed());
}
