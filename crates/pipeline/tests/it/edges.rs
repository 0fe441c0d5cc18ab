//! Callbacks, sources and settings at their edges.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::producers::Items;
use pipeline::testing::{Outcome, caller};
use pipeline::{
    Acknowledger, Acks, Batch, BatchItem, Batcher, BoxError, BoxFuture, Cut, Failure, Handler, Message,
    Pipeline, Producer, Trigger,
};

type Seen = Arc<Mutex<Vec<(Vec<u64>, Trigger)>>>;

/// Notes batches; keyed by the number's thousands.
#[derive(Default, Clone)]
struct Batches(Seen);

impl Handler for Batches {
    type In = u64;
    type Out = u64;

    async fn prepare(&self, chunk: &mut [Message<u64>]) -> Result<(), Failure> {
        for message in chunk {
            match message.data {
                666 => message.fail(Failure::reject("known to be bad")),
                667 => return Err(Failure::retry("nothing could be loaded")),
                668 => panic!("what a preparation"),
                _ => {}
            }
        }
        Ok(())
    }

    async fn handle_message(&self, message: &mut Message<u64>) -> Result<u64, Failure> {
        message.put_batch_key(message.data / 1_000);
        Ok(message.data)
    }

    async fn handle_batch(&self, batch: &mut Batch<u64, u64>) -> Result<(), Failure> {
        let items = batch.iter().map(|item| item.data).collect();
        self.0.lock().unwrap().push((items, batch.trigger()));
        Ok(())
    }
}

fn reasons(outcomes: &[Outcome]) -> Vec<&str> {
    let reason = |outcome| match outcome {
        &Outcome::Done => "done",
        Outcome::Failed(failure) => failure.reason(),
        Outcome::Dropped => "dropped",
    };
    outcomes.iter().map(reason).collect()
}

/// Sends these through and drains.
async fn through(builder: pipeline::Builder<Batches>, data: Vec<u64>) -> (Vec<Outcome>, pipeline::Drained) {
    let running = builder.processors(1).start().unwrap();
    let told = running.handle().test_batch(data).await.unwrap();
    let drained = running.drain(Duration::from_secs(30)).await;
    (told.all().await, drained)
}

#[tokio::test]
async fn a_splitter_cuts_before_and_after() {
    let seen = Batches::default();
    // At most ten in sum; a hundred ends its batch.
    let batcher = Batcher::new("store").size(100).timeout(Duration::from_mins(1)).split(|| {
        let mut sum = 0;
        move |item: &BatchItem<u64, u64>| {
            sum += item.data;
            match item.data {
                100 => Cut::After,
                _ if sum > 10 => Cut::Before,
                _ => Cut::No,
            }
        }
    });
    through(Pipeline::builder(seen.clone()).batcher(batcher), vec![4, 4, 4, 7, 99, 1, 100, 5]).await;
    assert_eq!(
        *seen.0.lock().unwrap(),
        [
            (vec![4, 4], Trigger::Split),
            (vec![4], Trigger::Split),
            (vec![7], Trigger::Split),
            (vec![99], Trigger::Split),
            (vec![1, 100], Trigger::Split),
            (vec![5], Trigger::Drain),
        ]
    );
}

#[tokio::test]
async fn many_keys_can_not_fill_the_memory() {
    let seen = Batches::default();
    let batcher = Batcher::new("store").size(10).timeout(Duration::from_mins(1)).max_waiting(20);
    let (_, drained) =
        through(Pipeline::builder(seen.clone()).batcher(batcher), (0..50).map(|n| n * 1_000).collect()).await;
    let seen = seen.0.lock().unwrap();
    // The oldest went first; the last twenty waited until the end.
    let pressed: Vec<u64> =
        seen.iter().filter(|(_, trigger)| *trigger == Trigger::Pressure).map(|(items, _)| items[0]).collect();
    assert_eq!(pressed, (0..30).map(|n| n * 1_000).collect::<Vec<_>>());
    assert_eq!(drained.stats.batchers[0].triggers[Trigger::Drain as usize], 20);
}

#[tokio::test]
async fn a_preparation_fails_one_or_all_of_its_chunk() {
    let chunks = || Pipeline::builder(Batches::default()).demand(3, 0);
    let (outcomes, _) = through(chunks(), vec![1, 666, 2]).await;
    assert_eq!(reasons(&outcomes), ["done", "known to be bad", "done"]);
    let (outcomes, _) = through(chunks(), vec![1, 667, 666, 4, 5, 6]).await;
    let lost = "nothing could be loaded";
    assert_eq!(reasons(&outcomes), [lost, lost, lost, "done", "done", "done"]);
    let (outcomes, drained) = through(chunks(), vec![666, 668, 2, 7]).await;
    let panicked = "prepare panicked: what a preparation";
    assert_eq!(reasons(&outcomes), ["known to be bad", panicked, panicked, "done"]);
    assert_eq!(drained.stats.panics, 1);
}

#[tokio::test]
async fn a_partition_or_a_splitter_that_panics_fails_its_message() {
    let builder = Pipeline::builder(Batches::default())
        .partition_by(|n| if *n == 3 { panic!("what a partition") } else { *n })
        .batcher(Batcher::new("store").size(10).split(|| {
            |item: &BatchItem<u64, u64>| if item.data == 5 { panic!("what a splitter") } else { Cut::No }
        }));
    let (outcomes, _) = through(builder, (0..8).collect()).await;
    let mut expected = vec!["done"; 8];
    expected[3] = "partition_by panicked: what a partition";
    expected[5] = "the splitter panicked: what a splitter";
    assert_eq!(reasons(&outcomes), expected);
}

/// A source that can't be told: of odd ones it errs, of even ones it panics.
struct Deaf(bool);

impl Acknowledger for Deaf {
    fn ack<'a>(&'a self, _: Acks<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
        assert!(self.0, "what a source");
        Box::pin(std::future::ready(Err("the source is away".into())))
    }
}

#[tokio::test]
async fn a_source_that_can_not_be_told_takes_nothing_from_the_others() {
    let (errs, panics) =
        (Arc::new(Deaf(true)) as Arc<dyn Acknowledger>, Arc::new(Deaf(false)) as Arc<dyn Acknowledger>);
    let (hears, told) = caller(3);
    let running = Pipeline::builder(Batches::default())
        .batcher(Batcher::new("store").size(9).timeout(Duration::from_mins(1)))
        .start()
        .unwrap();
    let messages =
        (0..9).map(|n| Message::new(n, [&errs, &hears, &panics][usize::try_from(n % 3).unwrap()], n / 3));
    running.handle().push(messages.collect()).await.unwrap();
    drop(hears);
    assert_eq!(told.all().await, [Outcome::Done, Outcome::Done, Outcome::Done]);
    let drained = running.drain(Duration::from_secs(30)).await;
    assert_eq!((drained.stats.acked_done, drained.stats.ack_errors, drained.unacked), (3, 6, 0));
}

#[tokio::test]
async fn each_source_is_told_in_one_call() {
    let sources: Vec<_> = (0..20).map(|_| caller(100)).collect();
    let running = Pipeline::builder(Batches::default())
        .processors(1)
        .batcher(Batcher::new("store").size(100).timeout(Duration::from_mins(1)))
        .start()
        .unwrap();
    let messages =
        (0..100).map(|n| Message::new(n, &sources[usize::try_from(n % 20).unwrap()].0, n / 20)).collect();
    running.handle().push(messages).await.unwrap();
    for (_, mut told) in sources {
        assert_eq!(told.next().await.unwrap().done, [0, 1, 2, 3, 4], "in order, in one call");
    }
}

/// Gives all it has, whatever it is asked for.
struct Greedy(Option<Vec<Message<u64>>>);

impl Producer for Greedy {
    type Item = u64;
    async fn produce(&mut self, _: usize) -> Result<Option<Vec<Message<u64>>>, BoxError> {
        Ok(self.0.take())
    }
}

/// Counts what is inside the handler at a time.
#[derive(Default, Clone)]
struct Inside {
    taken: Arc<AtomicUsize>,
    open: Arc<tokio::sync::Notify>,
}

impl Handler for Inside {
    type In = u64;
    type Out = ();
    async fn handle_message(&self, _: &mut Message<u64>) -> Result<(), Failure> {
        if self.taken.fetch_add(1, Ordering::SeqCst) == 0 {
            self.open.notified().await;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_given_unasked_waits_for_room() {
    let (source, told) = caller(1_000);
    let messages = (0..1_000).map(|n| Message::new(n, &source, n)).collect();
    drop(source);
    let inside = Inside::default();
    let mut running = Pipeline::builder(inside.clone())
        .producer(Greedy(Some(messages)))
        .processors(1)
        .demand(10, 5)
        .start()
        .unwrap();
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(inside.taken.load(Ordering::SeqCst), 1, "the only processor is busy with the first");
    inside.open.notify_one();
    running.finished().await;
    assert!(told.all().await.iter().all(|outcome| *outcome == Outcome::Done));
}

#[tokio::test(start_paused = true)]
async fn a_slow_stage_is_felt_at_the_source() {
    let inside = Inside::default();
    let running = Pipeline::builder(inside.clone())
        .producer(Items::new(0..1_000_000))
        .processors(1)
        .demand(10, 5)
        .batcher(Batcher::new("store").size(10))
        .start()
        .unwrap();
    tokio::time::sleep(Duration::from_mins(1)).await;
    assert_eq!(running.stats().produced, 10, "it was asked for no more than one processor's demand");
    assert_eq!(running.stats().in_flight, 10);
}

#[tokio::test]
async fn the_topology_tells_what_there_is() {
    let running = Pipeline::builder(Batches::default())
        .name("feeds")
        .producer(Items::new(0..1))
        .producers("numbers", 2, |_| Items::new(0..1))
        .processors(3)
        .demand(20, 5)
        .partition_by(|n| *n)
        .batcher(Batcher::new("store").size(7).timeout(Duration::from_secs(2)).concurrency(4).max_waiting(30))
        .start()
        .unwrap();
    let topology = running.topology();
    assert_eq!(topology.producers, ["items", "numbers", "numbers"]);
    assert_eq!((topology.chunk(), topology.batchers[0].max_waiting), (15, 30));
    assert_eq!(
        topology.to_string(),
        "pipeline feeds\n  producer items\n  producer numbers\n  producer numbers\n  \
         3 processors, demand 5 to 20, in order within a partition\n  \
         batcher store: 7 items or 2s, 4 batch processors\n"
    );
}
