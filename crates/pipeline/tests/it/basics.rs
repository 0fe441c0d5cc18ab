//! The contract, one sentence at a time.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::producers::Items;
use pipeline::testing::Outcome;
use pipeline::{
    Batch, BatchKey, Batcher, ConfigError, Failed, Failure, Handler, Message, Next, Pipeline, Trigger,
};

type Seen = (Vec<u64>, BatchKey, &'static str, Trigger);

/// What a test's number asks for.
#[derive(Default, Clone)]
struct Numbers {
    batches: Arc<Mutex<Vec<Seen>>>,
    failed: Arc<Mutex<Vec<(u64, String)>>>,
    hook_panics: Arc<AtomicUsize>,
}

const PANICS: u64 = 1_000;
const REJECTED: u64 = 1_001;
const FAILS_IN_BATCH: u64 = 1_002;
const PANICS_IN_BATCH: u64 = 1_003;
const NOWHERE: u64 = 1_004;

impl Handler for Numbers {
    type In = u64;
    type Out = u64;

    async fn handle_message(&self, message: &mut Message<u64>) -> Result<u64, Failure> {
        match message.data {
            PANICS => panic!("what a number"),
            REJECTED => return Err(Failure::reject("no such number")),
            PANICS_IN_BATCH => message.put_batch_key("poison"),
            NOWHERE => message.put_batcher("nowhere"),
            n if n % 2 == 1 => message.put_batcher("odd"),
            _ => {}
        }
        Ok(message.data)
    }

    async fn handle_batch(&self, batch: &mut Batch<u64, u64>) -> Result<(), Failure> {
        let items = batch.iter().map(|item| item.data).collect();
        self.batches.lock().unwrap().push((items, batch.key().clone(), batch.batcher(), batch.trigger()));
        for item in batch.iter_mut() {
            match item.data {
                FAILS_IN_BATCH => item.fail(Failure::retry("not now")),
                PANICS_IN_BATCH => panic!("what a batch"),
                _ => {}
            }
        }
        Ok(())
    }

    async fn handle_failed(&self, failed: &mut [Failed<u64>]) -> Result<(), Failure> {
        self.failed
            .lock()
            .unwrap()
            .extend(failed.iter().map(|one| (one.message.data, one.failure.reason().to_owned())));
        assert!(self.hook_panics.load(Ordering::SeqCst) == 0, "what a hook");
        Ok(())
    }
}

fn numbers() -> (Numbers, pipeline::Builder<Numbers>) {
    let handler = Numbers::default();
    let builder = Pipeline::builder(handler.clone())
        .processors(2)
        .batcher(Batcher::new("even").size(10).timeout(Duration::from_mins(1)))
        .batcher(Batcher::new("odd").size(5).timeout(Duration::from_mins(1)));
    (handler, builder)
}

#[tokio::test]
async fn a_finite_source_is_brought_to_its_end() {
    let (handler, builder) = numbers();
    let mut running = builder.producer(Items::new(0..995)).start().unwrap();
    let drained = running.finished().await;
    assert_eq!((drained.stats.produced, drained.stats.acked_done, drained.unacked), (995, 995, 0));
    let batches = handler.batches.lock().unwrap();
    let mut seen: Vec<u64> = batches.iter().flat_map(|(items, ..)| items.clone()).collect();
    seen.sort_unstable();
    assert_eq!(seen, (0..995).collect::<Vec<_>>());
    for (items, _, batcher, trigger) in batches.iter() {
        assert!(items.iter().all(|n| (n % 2 == 1) == (*batcher == "odd")));
        let full = if *batcher == "odd" { 5 } else { 10 };
        assert!(items.len() == full || *trigger == Trigger::Drain);
    }
}

#[tokio::test]
async fn one_failed_message_does_not_fail_its_neighbours() {
    let (handler, builder) = numbers();
    let running = builder.start().unwrap();
    let sent = vec![0, PANICS, 2, REJECTED, 4, FAILS_IN_BATCH, 6, NOWHERE, 8, 10, 12, 14, 16, 18];
    let told = running.handle().test_batch(sent.clone()).await.unwrap();
    running.drain(Duration::from_secs(30)).await;
    let outcomes = told.all().await;
    for (n, outcome) in sent.iter().zip(&outcomes) {
        match *n {
            n if n < 1_000 => assert_eq!(outcome, &Outcome::Done, "{n}"),
            n => {
                let Outcome::Failed(failure) = outcome else { panic!("{n}: {outcome:?}") };
                let (reason, next) = match n {
                    PANICS => ("handle_message panicked: what a number", Next::Retry),
                    REJECTED => ("no such number", Next::Reject),
                    FAILS_IN_BATCH => ("not now", Next::Retry),
                    _ => ("there is no batcher named nowhere", Next::Reject),
                };
                assert_eq!((failure.reason(), failure.next()), (reason, next));
            }
        }
    }
    let mut dead: Vec<u64> = handler.failed.lock().unwrap().iter().map(|(n, _)| *n).collect();
    dead.sort_unstable();
    assert_eq!(dead, [PANICS, REJECTED, FAILS_IN_BATCH, NOWHERE]);
}

#[tokio::test]
async fn a_batch_that_panics_fails_whole_and_alone() {
    let (_, builder) = numbers();
    let running = builder.start().unwrap();
    let told = running.handle().test_batch(vec![0, PANICS_IN_BATCH, 2]).await.unwrap();
    let drained = running.drain(Duration::from_secs(30)).await;
    let outcomes = told.all().await;
    assert_eq!((&outcomes[0], &outcomes[2]), (&Outcome::Done, &Outcome::Done));
    assert!(matches!(&outcomes[1], Outcome::Failed(failure) if failure.is_panic()));
    assert_eq!(drained.stats.panics, 1);
}

#[tokio::test]
async fn what_no_dead_letter_was_written_for_is_to_be_delivered_again() {
    let (handler, builder) = numbers();
    handler.hook_panics.store(1, Ordering::SeqCst);
    let running = builder.start().unwrap();
    let told = running.handle().test_message(REJECTED).await.unwrap();
    let Outcome::Failed(failure) = told.one().await else { panic!("it failed") };
    assert_eq!((failure.reason(), failure.next()), ("no such number", Next::Retry));
    assert_eq!(running.stats().failed_hook_errors, 1);
}

#[tokio::test]
async fn a_test_message_waits_for_no_batch_to_fill() {
    let (handler, builder) = numbers();
    let running = builder.start().unwrap();
    assert_eq!(running.handle().test_message(4).await.unwrap().one().await, Outcome::Done);
    assert_eq!(*handler.batches.lock().unwrap(), [(vec![4], BatchKey::None, "even", Trigger::Flush)]);
}

#[tokio::test]
async fn a_pipeline_that_can_not_run_does_not_start() {
    let (_, builder) = numbers();
    assert_eq!(
        builder.batcher(Batcher::new("odd")).start().unwrap_err(),
        ConfigError::DuplicateBatcher { pipeline: "pipeline", batcher: "odd" }
    );
    let (_, builder) = numbers();
    assert!(matches!(builder.processors(0).start(), Err(ConfigError::Zero { what: "processors", .. })));
    let (_, builder) = numbers();
    assert!(matches!(builder.demand(10, 10).start(), Err(ConfigError::Demand { max: 10, min: 10, .. })));
}
