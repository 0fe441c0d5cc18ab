//! What waits: batches, rates, back-offs, deadlines. On virtual time, which goes on only when everybody waits.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pipeline::producers::{Items, feed};
use pipeline::testing::Outcome;
use pipeline::{
    Batch, Batcher, BoxError, Event, Failure, Handler, Message, Pipeline, Producer, Rate, Restarts, Trigger,
};
use tokio::time::Instant;

/// Notes when things happen, in milliseconds since its making.
#[derive(Clone)]
struct Clocked {
    began: Instant,
    messages: Arc<Mutex<Vec<(u64, u128)>>>,
    batches: Arc<Mutex<Vec<(usize, Trigger, u128)>>>,
}

impl Clocked {
    fn new() -> Self {
        Self { began: Instant::now(), messages: Arc::default(), batches: Arc::default() }
    }

    fn now(&self) -> u128 {
        self.began.elapsed().as_millis()
    }
}

impl Handler for Clocked {
    type In = u64;
    type Out = ();

    async fn handle_message(&self, message: &mut Message<u64>) -> Result<(), Failure> {
        self.messages.lock().unwrap().push((message.data, self.now()));
        Ok(())
    }

    async fn handle_batch(&self, batch: &mut Batch<u64, ()>) -> Result<(), Failure> {
        self.batches.lock().unwrap().push((batch.len(), batch.trigger(), self.now()));
        Ok(())
    }
}

async fn pass(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}

#[tokio::test(start_paused = true)]
async fn a_batch_waits_from_its_first_message_on() {
    let clocked = Clocked::new();
    let (tap, fed) = feed(10);
    let batcher = Batcher::new("store").size(3).timeout(Duration::from_millis(500));
    let running = Pipeline::builder(clocked.clone()).producer(fed).batcher(batcher).start().unwrap();
    pass(100).await;
    tap.send(1).await.unwrap();
    pass(400).await;
    tap.send(2).await.unwrap();
    pass(400).await;
    for n in 3..6 {
        tap.send(n).await.unwrap();
    }
    pass(1_000).await;
    running.drain(Duration::from_secs(1)).await;
    let seen = clocked.batches.lock().unwrap().clone();
    assert_eq!(
        seen.iter().map(|batch| (batch.0, batch.1)).collect::<Vec<_>>(),
        [(2, Trigger::Timeout), (3, Trigger::Size)]
    );
    assert!((600..=602).contains(&seen[0].2), "{seen:?}");
    assert!((900..=902).contains(&seen[1].2), "{seen:?}");
}

#[tokio::test(start_paused = true)]
async fn no_period_lets_more_pass_than_the_rate() {
    let clocked = Clocked::new();
    let mut running = Pipeline::builder(clocked.clone())
        .producer(Items::new(0..95))
        .rate(Rate::per_second(10))
        .start()
        .unwrap();
    let drained = running.finished().await;
    let mut periods = [0; 10];
    for (_, at) in clocked.messages.lock().unwrap().iter() {
        periods[usize::try_from(at / 1_000).unwrap()] += 1;
    }
    assert_eq!(periods, [10, 10, 10, 10, 10, 10, 10, 10, 10, 5]);
    assert!(drained.stats.rate_waits >= 9);
}

#[tokio::test(start_paused = true)]
async fn a_changed_rate_counts_at_once() {
    let clocked = Clocked::new();
    let running = Pipeline::builder(clocked.clone())
        .producer(Items::new(0..1_000))
        .rate(Rate::new(1, Duration::from_hours(1)))
        .start()
        .unwrap();
    pass(1_500).await;
    assert_eq!(clocked.messages.lock().unwrap().len(), 1);
    running.set_rate(Some(Rate::per_second(100)));
    pass(2_500).await;
    assert_eq!(clocked.messages.lock().unwrap().len(), 301);
    running.set_rate(None);
    pass(10).await;
    assert_eq!(clocked.messages.lock().unwrap().len(), 1_000);
    assert_eq!(running.handle().rate(), None);
}

/// Errs, panics or ends as its script says; then waits for ever.
struct Scripted {
    script: Arc<Mutex<Vec<&'static str>>>,
    asked: Arc<Mutex<Vec<u128>>>,
    stopped: Arc<AtomicUsize>,
    began: Instant,
}

impl Producer for Scripted {
    type Item = u64;

    async fn produce(&mut self, _: usize) -> Result<Option<Vec<Message<u64>>>, BoxError> {
        self.asked.lock().unwrap().push(self.began.elapsed().as_millis());
        let step = self.script.lock().unwrap().pop();
        match step {
            Some("errs") => Err("the source is away".into()),
            Some("panics") => panic!("what a producer"),
            Some(other) => Err(other.into()),
            None => std::future::pending().await,
        }
    }

    async fn stop(&mut self) {
        self.stopped.fetch_add(1, Ordering::SeqCst);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_errs_is_left_alone_longer_and_longer() {
    let (asked, stopped) = (Arc::default(), Arc::new(AtomicUsize::new(0)));
    let producer = Scripted {
        script: Arc::new(Mutex::new(vec!["errs"; 12])),
        asked: Arc::clone(&asked),
        stopped: Arc::clone(&stopped),
        began: Instant::now(),
    };
    let running = Pipeline::builder(Clocked::new()).producer(producer).start().unwrap();
    tokio::time::sleep(Duration::from_mins(10)).await;
    let drained = running.drain(Duration::from_secs(1)).await;
    let times: Vec<u128> = asked.lock().unwrap().clone();
    let pauses: Vec<u128> = times.windows(2).map(|pair| (pair[1] - pair[0]) / 100 * 100).collect();
    assert_eq!(pauses, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000, 30_000]);
    assert_eq!(drained.stats.producer_errors, 12);
    assert_eq!(stopped.load(Ordering::SeqCst), 1, "it waited for ever, and was stopped by the drain");
}

#[tokio::test(start_paused = true)]
async fn a_producer_that_panics_is_made_anew_and_given_up_in_the_end() {
    let script = Arc::new(Mutex::new(vec!["panics"; 3]));
    let count = Arc::new(AtomicUsize::new(0));
    let make = {
        let (script, count) = (Arc::clone(&script), Arc::clone(&count));
        let (asked, stopped) = (Arc::default(), Arc::default());
        move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            let (script, asked, stopped) = (Arc::clone(&script), Arc::clone(&asked), Arc::clone(&stopped));
            Scripted { script, asked, stopped, began: Instant::now() }
        }
    };
    let restarts = Restarts { most: 4, within: Duration::from_mins(1) };
    let mut running = Pipeline::builder(Clocked::new())
        .name("feeds")
        .producers("scripted", 1, make)
        .restarts(restarts)
        .start()
        .unwrap();
    pass(30_000).await;
    assert_eq!((count.load(Ordering::SeqCst), running.stats().producer_restarts), (4, 3));
    let told = running.handle().test_message(1).await.unwrap();
    assert_eq!(told.one().await, Outcome::Done, "the pipeline goes on");
    // The first ones are out of the time that counts: two more are allowed, then no more.
    pass(31_000).await;
    script.lock().unwrap().extend(["panics"; 9]);
    running.handle().stop();
    assert_eq!(running.finished().await.gave_up, None);

    script.lock().unwrap().extend(["panics"; 9]);
    let gave_up = Arc::new(Mutex::new(Vec::new()));
    let producer = Scripted { script, asked: Arc::default(), stopped: Arc::default(), began: Instant::now() };
    let events = Arc::clone(&gave_up);
    let mut running = Pipeline::builder(Clocked::new())
        .producer(producer)
        .on_event(move |event| {
            if let Event::Drained { unacked } = event {
                events.lock().unwrap().push(*unacked);
            }
        })
        .start()
        .unwrap();
    let drained = running.finished().await;
    let error = drained.gave_up.unwrap().error;
    assert_eq!(error, "the producer panicked: what a producer");
    assert_eq!(*gave_up.lock().unwrap(), [0]);
}

/// Hangs in every batch that holds a 13.
struct Hangs;

impl Handler for Hangs {
    type In = u64;
    type Out = ();
    async fn handle_message(&self, _: &mut Message<u64>) -> Result<(), Failure> {
        Ok(())
    }
    async fn handle_batch(&self, batch: &mut Batch<u64, ()>) -> Result<(), Failure> {
        if batch.iter().any(|item| *item.input() == 13) {
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_acknowledged_at_the_deadline_is_reported_and_left_to_its_source() {
    let batcher = Batcher::new("store").size(10).concurrency(2);
    let running = Pipeline::builder(Hangs).processors(1).batcher(batcher).start().unwrap();
    let told = running.handle().test_batch((0..35).collect()).await.unwrap();
    let began = Instant::now();
    let drained = running.drain(Duration::from_secs(7)).await;
    assert_eq!(began.elapsed().as_secs(), 7);
    assert_eq!(drained.unacked, 10);
    let outcomes = told.all().await;
    for (n, outcome) in outcomes.iter().enumerate() {
        assert_eq!(*outcome, if (10..20).contains(&n) { Outcome::Dropped } else { Outcome::Done }, "{n}");
    }
}

#[tokio::test(start_paused = true)]
async fn dropping_it_aborts_it() {
    let running = Pipeline::builder(Hangs).batcher(Batcher::new("store").size(1)).start().unwrap();
    let handle = running.handle().clone();
    let told = handle.test_message(13).await.unwrap();
    pass(10).await;
    drop(running);
    assert_eq!(told.one().await, Outcome::Dropped);
    assert!(handle.test_message(1).await.is_err(), "it takes no more");
}

#[tokio::test(start_paused = true)]
async fn events_and_counters_agree() {
    let sums: Arc<Mutex<[usize; 6]>> = Arc::default();
    let events = Arc::clone(&sums);
    let mut running = Pipeline::builder(Clocked::new())
        .name("told")
        .producer(Items::new(0..1_000))
        .processors(2)
        .batcher(Batcher::new("store").size(64))
        .on_event(move |event| {
            let mut sums = events.lock().unwrap();
            match event {
                Event::Started { topology } => sums[0] += topology.batchers.len(),
                Event::Produced { messages, .. } => sums[1] += messages,
                Event::Processed { messages, .. } => sums[2] += messages,
                Event::BatchHandled { messages, .. } => {
                    sums[3] += messages;
                    sums[4] += 1;
                }
                Event::Acked { done, .. } => sums[5] += done,
                _ => {}
            }
        })
        .start()
        .unwrap();
    let drained = running.finished().await;
    let store = &drained.stats.batchers[0];
    let batches = usize::try_from(store.batches).unwrap();
    assert_eq!(*sums.lock().unwrap(), [1, 1_000, 1_000, 1_000, batches, 1_000]);
    assert_eq!(
        (store.messages, store.triggers.iter().sum::<u64>(), store.waiting),
        (1_000, store.batches, 0)
    );
    assert_eq!(drained.stats.processed, 1_000);
}
