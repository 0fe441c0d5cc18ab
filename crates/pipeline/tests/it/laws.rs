//! Laws: whatever the messages, the settings and the callbacks do.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::producers::Items;
use pipeline::{
    Acknowledger, Acks, Batch, BatchItem, BatchKey, Batcher, BoxError, BoxFuture, Builder, Cut, Failure,
    Handler, Message, Pipeline, Producer,
};
use proptest::prelude::*;

/// What shall happen to a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Done,
    Rejected,
    Panics,
    FailsInBatch,
    FailsItsBatch,
    PanicsItsBatch,
}

#[derive(Debug, Clone)]
struct Plan {
    fate: Fate,
    partition: u64,
    batcher: bool,
    key: u64,
    flush: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    let fate = prop_oneof![
        12 => Just(Fate::Done),
        1 => Just(Fate::Rejected),
        1 => Just(Fate::Panics),
        1 => Just(Fate::FailsInBatch),
        1 => Just(Fate::FailsItsBatch),
        1 => Just(Fate::PanicsItsBatch),
    ];
    (fate, 0..5_u64, any::<bool>(), 0..3_u64, prop::bool::weighted(0.05))
        .prop_map(|(fate, partition, batcher, key, flush)| Plan { fate, partition, batcher, key, flush })
}

#[derive(Debug, Clone)]
struct Settings {
    processors: usize,
    demand: (usize, usize),
    size: usize,
    concurrency: usize,
    batchers: bool,
    partitioned: bool,
    split: bool,
    waiting: usize,
}

fn settings() -> impl Strategy<Value = Settings> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (1..4_usize, 1..12_usize, 0..12_usize, 1..8_usize, 1..4_usize, 1..12_usize, flags).prop_map(
        |(processors, max, min, size, concurrency, waiting, (batchers, partitioned, split))| Settings {
            processors,
            demand: (max, min % max),
            size,
            concurrency,
            batchers,
            partitioned,
            split,
            waiting,
        },
    )
}

/// Plays the plans and notes what it sees.
#[derive(Default)]
struct Player {
    /// Places in the order in which they were handled, by partition.
    handled: Mutex<BTreeMap<u64, Vec<usize>>>,
    batched: Mutex<BTreeMap<(u64, bool, u64), Vec<usize>>>,
    broken: Mutex<Vec<String>>,
    size: usize,
}

struct Plays(Arc<Player>);

type Planned = (usize, Plan);

impl Handler for Plays {
    type In = Planned;
    type Out = ();

    async fn handle_message(&self, message: &mut Message<Planned>) -> Result<(), Failure> {
        let (place, plan) = message.data.clone();
        tokio::task::yield_now().await;
        self.0.handled.lock().unwrap().entry(plan.partition).or_default().push(place);
        message.put_batcher(if plan.batcher { "a" } else { "b" });
        message.put_batch_key(plan.key);
        if plan.flush {
            message.flush();
        }
        match plan.fate {
            Fate::Rejected => Err(Failure::reject("rejected")),
            // Past the hook that prints a backtrace: there are thousands of these.
            Fate::Panics => std::panic::resume_unwind(Box::new("panics")),
            _ => Ok(()),
        }
    }

    async fn handle_batch(&self, batch: &mut Batch<Planned, ()>) -> Result<(), Failure> {
        tokio::task::yield_now().await;
        let mut broken = self.0.broken.lock().unwrap();
        if batch.len() > self.0.size || batch.is_empty() {
            broken.push(format!("a batch of {}", batch.len()));
        }
        let key = batch.key().clone();
        let mut verdict = Ok(());
        let mut panics = false;
        for item in batch.iter_mut() {
            let (place, plan) = item.input().clone();
            if key != BatchKey::Number(plan.key) {
                broken.push(format!("{place} in a batch of key {key:?}"));
            }
            let lane = (plan.partition, plan.batcher, plan.key);
            self.0.batched.lock().unwrap().entry(lane).or_default().push(place);
            match plan.fate {
                Fate::FailsInBatch => item.fail(Failure::retry("failed in its batch")),
                Fate::FailsItsBatch => verdict = Err(Failure::retry("the batch failed")),
                Fate::PanicsItsBatch => panics = true,
                _ => {}
            }
        }
        drop(broken);
        if panics {
            std::panic::resume_unwind(Box::new("the batch panics"));
        }
        verdict
    }
}

/// Counts what is alive, and what was told of each message.
#[derive(Default)]
struct Ledger {
    alive: AtomicUsize,
    most: AtomicUsize,
    told: Mutex<BTreeMap<u64, Vec<Option<String>>>>,
}

impl Ledger {
    fn given(&self, messages: usize) {
        let alive = self.alive.fetch_add(messages, Ordering::SeqCst) + messages;
        self.most.fetch_max(alive, Ordering::SeqCst);
    }
}

struct Told(Arc<Ledger>);

impl Acknowledger for Told {
    fn ack<'a>(&'a self, acks: Acks<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            tokio::task::yield_now().await;
            let mut told = self.0.told.lock().unwrap();
            for receipt in acks.done {
                told.entry(*receipt).or_default().push(None);
            }
            for (receipt, failure) in acks.failed {
                told.entry(*receipt).or_default().push(Some(failure.reason().to_owned()));
            }
            self.0.alive.fetch_sub(acks.len(), Ordering::SeqCst);
            Ok(())
        })
    }
}

/// Gives what the plans say, and counts it.
struct Counted<P>(P, Arc<Ledger>);

impl<P: Producer> Producer for Counted<P> {
    type Item = P::Item;
    async fn produce(&mut self, demand: usize) -> Result<Option<Vec<Message<P::Item>>>, BoxError> {
        let given = self.0.produce(demand).await?;
        let messages = given.as_ref().map_or(0, Vec::len);
        assert!(messages <= demand);
        self.1.given(messages);
        Ok(given)
    }
}

fn build(settings: &Settings, player: &Arc<Player>) -> Builder<Plays> {
    let (max, min) = settings.demand;
    let mut builder =
        Pipeline::builder(Plays(Arc::clone(player))).processors(settings.processors).demand(max, min);
    if settings.partitioned {
        builder = builder.partition_by(|(_, plan)| plan.partition);
    }
    if settings.batchers {
        for name in ["a", "b"] {
            let mut batcher = Batcher::new(name)
                .size(settings.size)
                .concurrency(settings.concurrency)
                .max_waiting(settings.waiting)
                .timeout(Duration::from_millis(10));
            if settings.split {
                batcher = batcher.split(|| {
                    let mut sum = 0;
                    move |item: &BatchItem<Planned, ()>| {
                        sum += item.input().0;
                        match sum % 7 {
                            0 => Cut::After,
                            1 => Cut::Before,
                            _ => Cut::No,
                        }
                    }
                });
            }
            builder = builder.batcher(batcher);
        }
    }
    builder
}

/// Runs the plans to their end, or drains in the middle.
fn check(settings: &Settings, plans: &[Plan], drain: bool, threads: usize) -> Result<(), TestCaseError> {
    let runtime = if threads == 1 {
        tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap()
    } else {
        tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap()
    };
    let ledger = Arc::new(Ledger::default());
    let player = Arc::new(Player { size: settings.size, ..Player::default() });
    let source = Arc::new(Told(Arc::clone(&ledger))) as Arc<dyn Acknowledger>;
    let own = plans.to_vec();
    let items = Items::acknowledged(own.into_iter().enumerate(), &source);
    let (drained, bound) = runtime.block_on(async {
        let producer = Counted(items, Arc::clone(&ledger));
        let mut running = build(settings, &player).producer(producer).start().unwrap();
        let bound = running.topology().in_flight_bound();
        if drain {
            for _ in 0..plans.len() {
                tokio::task::yield_now().await;
            }
            return (running.drain(Duration::from_mins(1)).await, bound);
        }
        (running.finished().await, bound)
    });
    prop_assert_eq!(&*player.broken.lock().unwrap(), &Vec::<String>::new());

    // Each message that was given is acknowledged once.
    let told = ledger.told.lock().unwrap();
    let given = usize::try_from(drained.stats.produced).unwrap();
    prop_assert_eq!(told.len(), given);
    prop_assert_eq!((drained.unacked, ledger.alive.load(Ordering::SeqCst)), (0, 0));
    prop_assert!(drain || given == plans.len());
    prop_assert!(
        ledger.most.load(Ordering::SeqCst) <= bound,
        "{} alive of {bound}",
        ledger.most.load(Ordering::SeqCst)
    );
    for (receipt, ends) in told.iter() {
        let fate = plans[usize::try_from(*receipt).unwrap()].fate;
        prop_assert_eq!(ends.len(), 1, "{} was told {} times", receipt, ends.len());
        let why = ends[0].as_deref();
        let in_batch = ["the batch failed", "handle_batch panicked: the batch panics"];
        let right = match fate {
            Fate::Done => why.is_none_or(|why| settings.batchers && in_batch.contains(&why)),
            Fate::Rejected => why == Some("rejected"),
            Fate::Panics => why == Some("handle_message panicked: panics"),
            _ if !settings.batchers => why.is_none(),
            Fate::FailsInBatch => {
                why.is_some_and(|why| why == "failed in its batch" || in_batch.contains(&why))
            }
            Fate::FailsItsBatch | Fate::PanicsItsBatch => why.is_some_and(|why| in_batch.contains(&why)),
        };
        prop_assert!(right, "{fate:?} ended as {why:?}");
    }

    // Order is kept within a partition; without partitions it is where there is one of each.
    if settings.partitioned || settings.processors == 1 {
        for (partition, places) in player.handled.lock().unwrap().iter() {
            prop_assert!(places.is_sorted(), "partition {partition}: {places:?}");
        }
    }
    if settings.partitioned || settings.processors == 1 && settings.concurrency == 1 {
        for (lane, places) in player.batched.lock().unwrap().iter() {
            prop_assert!(places.is_sorted(), "{lane:?}: {places:?}");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_message_is_acknowledged_once_in_order_within_bounds(
        settings in settings(),
        plans in prop::collection::vec(plan(), 0..120),
    ) {
        check(&settings, &plans, false, 1)?;
    }

    #[test]
    fn a_drain_in_the_middle_loses_nothing(
        settings in settings(),
        plans in prop::collection::vec(plan(), 0..120),
    ) {
        check(&settings, &plans, true, 1)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn the_same_on_many_threads(
        settings in settings(),
        plans in prop::collection::vec(plan(), 0..1_000),
        drain in any::<bool>(),
    ) {
        check(&settings, &plans, drain, 4)?;
    }
}

/// A batch of plain numbers that takes its time.
struct Slow;

impl Handler for Slow {
    type In = u64;
    type Out = u64;
    async fn handle_message(&self, message: &mut Message<u64>) -> Result<u64, Failure> {
        Ok(message.data)
    }
    async fn handle_batch(&self, _: &mut Batch<u64, u64>) -> Result<(), Failure> {
        tokio::time::sleep(Duration::from_millis(1)).await;
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn ten_times_the_input_is_no_more_in_flight() {
    let mut most = Vec::new();
    for messages in [10_000, 100_000] {
        let ledger = Arc::new(Ledger::default());
        let source = Arc::new(Told(Arc::clone(&ledger))) as Arc<dyn Acknowledger>;
        let producer = Counted(Items::acknowledged(0..messages, &source), Arc::clone(&ledger));
        let mut running = Pipeline::builder(Slow)
            .producer(producer)
            .processors(2)
            .demand(100, 50)
            .batcher(Batcher::new("store").size(100).concurrency(2))
            .start()
            .unwrap();
        let bound = running.topology().in_flight_bound();
        let drained = running.finished().await;
        assert_eq!(drained.stats.acked_done, messages);
        assert!(ledger.most.load(Ordering::SeqCst) <= bound);
        most.push(ledger.most.load(Ordering::SeqCst));
    }
    // The slow store was felt at the source, both times alike.
    assert!(most[1] <= most[0] + 100, "{most:?}");
}
