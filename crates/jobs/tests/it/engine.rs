//! Taking, running, failing, pruning.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use jobs::testing::TestClock;
use jobs::{Engine, Job, NewJob, Options, Outcome, State, Store, Worker, enqueue, enqueue_many, find};
use sea_orm::{DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};
use serde_json::json;

use crate::database::both;
use crate::workers::{Always, Gated, Meter, Metered, engine, one, row, wait_until};

both!(each_outcome_has_its_state, |db| {
    let clock = TestClock::new();
    let id = |name: &'static str| one(&db, NewJob::new(name, json!({})).max_attempts(1));
    let done = id("done").await;
    let cancelled = id("cancel").await;
    let discarded = id("retry").await;
    let snoozed = id("snooze").await;
    let engine = engine(&db, clock.options())
        .worker(Always::new("done", Outcome::Done))
        .worker(Always::new("cancel", Outcome::cancel("no sense")))
        .worker(Always::new("retry", Outcome::retry("broken")))
        .worker(Always::new("snooze", Outcome::Snooze(Duration::from_mins(1))));
    assert_eq!(engine.run_due().await.unwrap(), 4);
    assert_eq!(row(&db, done).await.state, State::Completed);
    assert_eq!(row(&db, cancelled).await.state, State::Cancelled);
    assert_eq!(row(&db, discarded).await.state, State::Discarded);
    assert_eq!(row(&db, discarded).await.errors.first().unwrap().error, "broken");
    assert_eq!(row(&db, snoozed).await.state, State::Scheduled);
    // It may wait for ever: a snooze costs no attempt.
    for _ in 0..3 {
        clock.turn(Duration::from_secs(61));
        assert_eq!(engine.run_due().await.unwrap(), 1);
    }
    let stats = engine.stats().snapshot();
    assert_eq!((stats.done, stats.cancelled, stats.discarded, stats.snoozed), (1, 1, 1, 4));
});

both!(the_back_off_is_kept_in_the_database, |db| {
    let clock = TestClock::new();
    let id = one(&db, NewJob::new("w", json!({})).max_attempts(4)).await;
    // Each attempt is made by another engine, as after a restart.
    for (attempt, wait) in [(1, 1), (2, 2), (3, 4)] {
        let engine = engine(&db, clock.options()).worker(Always::new("w", Outcome::retry("broken")));
        assert_eq!(engine.run_due().await.unwrap(), 1);
        let stored = row(&db, id).await;
        assert_eq!((stored.state, stored.attempt), (State::Retryable, attempt));
        assert_eq!(stored.scheduled_at, clock.now() + wait * 1_000);
        clock.turn(Duration::from_millis(u64::try_from(wait).unwrap() * 1_000 - 1));
        assert_eq!(engine.run_due().await.unwrap(), 0, "not before its time");
        clock.turn(Duration::from_millis(1));
    }
    let engine = engine(&db, clock.options()).worker(Always::new("w", Outcome::retry("broken")));
    assert_eq!(engine.run_due().await.unwrap(), 1);
    let stored = row(&db, id).await;
    assert_eq!(stored.state, State::Discarded);
    assert_eq!(stored.errors.iter().map(|failure| failure.attempt).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(jobs::retry(&db, id).await.unwrap());
    assert_eq!(engine.run_due().await.unwrap(), 1, "a person gave it one more");
});

struct Order(Arc<Mutex<Vec<String>>>);

impl Worker for Order {
    fn name(&self) -> &'static str {
        "order"
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        self.0.lock().unwrap().push(job.args::<String>().unwrap());
        Box::pin(async { Outcome::Done })
    }
}

both!(priority_first_then_age_and_nothing_before_its_time, |db| {
    let clock = TestClock::new();
    let future = clock.now() + 5_000;
    for (name, priority, at) in
        [("c", 5, None), ("d", 5, None), ("a", 1, None), ("b", 1, None), ("z", 0, Some(future))]
    {
        let job = NewJob::new("order", json!(name)).priority(priority);
        enqueue(&db, &NewJob { at, ..job }).await.unwrap();
    }
    let seen = Arc::new(Mutex::new(Vec::new()));
    let engine = engine(&db, clock.options()).worker(Order(Arc::clone(&seen)));
    engine.run_due().await.unwrap();
    assert_eq!(*seen.lock().unwrap(), ["a", "b", "c", "d"]);
    clock.turn(Duration::from_secs(5));
    engine.run_due().await.unwrap();
    assert_eq!(seen.lock().unwrap().last().unwrap(), "z");
});

struct Bad;

impl Worker for Bad {
    fn name(&self) -> &'static str {
        "bad"
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            assert!(!job.args::<bool>().unwrap(), "quite broken");
            std::future::pending().await
        })
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(1)
    }
}

both!(a_panic_and_a_hang_are_failures, |db| {
    let panics = one(&db, NewJob::new("bad", json!(true))).await;
    let hangs = one(&db, NewJob::new("bad", json!(false))).await;
    let unknown = one(&db, NewJob::new("nobody", json!(false))).await;
    let engine = engine(&db, TestClock::new().options()).worker(Bad);
    assert_eq!(engine.run_due().await.unwrap(), 3);
    for (id, why) in
        [(panics, "quite broken"), (hangs, "longer than 1ms"), (unknown, "no worker named nobody")]
    {
        let stored = row(&db, id).await;
        assert_eq!(stored.state, State::Retryable);
        assert!(stored.errors.first().unwrap().error.contains(why), "{stored:?}");
    }
    let stats = engine.stats().snapshot();
    assert_eq!((stats.panics, stats.timeouts), (1, 1));
});

both!(two_engines_share_a_queue_and_run_each_job_once, |db| {
    let jobs: Vec<NewJob> = (0..2_000).map(|n| NewJob::new("metered", json!(n))).collect();
    enqueue_many(&db, &jobs).await.unwrap();
    let meters = [Arc::new(Meter::default()), Arc::new(Meter::default())];
    let start = |meter: &Arc<Meter>| {
        let options = Options { batch: 50, ..Options::default() };
        Engine::new(Arc::new(db.clone()), options)
            .queue("default", 3)
            .worker(Metered(Arc::clone(meter)))
            .start()
    };
    let [a, b] = [start(&meters[0]), start(&meters[1])];
    let (one, two) = (a.stats(), b.stats());
    wait_until(|| async { one.snapshot().done + two.snapshot().done >= 2_000 }).await;
    assert!(a.drain(Duration::from_secs(20)).await.clean);
    assert!(b.drain(Duration::from_secs(20)).await.clean);
    let mut seen = BTreeMap::new();
    for meter in &meters {
        assert!(meter.most.load(Ordering::SeqCst) <= 3, "three at a time");
        seen.extend(meter.seen.lock().unwrap().iter().map(|(id, runs)| (*id, *runs)));
    }
    assert_eq!(seen.len(), 2_000);
    assert!(seen.values().all(|runs| *runs == 1));
    assert_eq!(one.snapshot().lost + two.snapshot().lost, 0);
});

both!(a_wake_needs_no_poll, |db| {
    let gated = Gated::new();
    gated.gate.add_permits(2);
    let options = Options { poll: Duration::from_hours(1), ..Options::default() };
    let running = engine(&db, options).worker(gated.clone()).start();
    // The first job shows that the loop has begun; the second is enqueued while it is idle.
    for n in 0..2 {
        enqueue(&db, &NewJob::new("gated", json!(n))).await.unwrap();
        running.wake().queue("default");
        tokio::time::timeout(Duration::from_mins(1), gated.begun()).await.expect("nobody woke");
    }
    assert!(running.drain(Duration::from_secs(10)).await.clean);
});

/// A database whose every other statement fails: half of those before they run, half after.
struct Flaky {
    db: DatabaseConnection,
    calls: AtomicUsize,
    well: Arc<AtomicBool>,
}

impl Store for Flaky {
    fn backend(&self) -> DbBackend {
        self.db.backend()
    }

    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>> {
        Box::pin(async move {
            let call = self.calls.fetch_add(1, Ordering::SeqCst);
            let fails = !self.well.load(Ordering::SeqCst) && call.is_multiple_of(2);
            if fails {
                return Err(DbErr::Custom("the cable is out".to_owned()));
            }
            self.db.run(statement).await
        })
    }
}

both!(a_database_that_fails_now_and_then_loses_no_job, |db| {
    let jobs: Vec<NewJob> = (0..200).map(|n| NewJob::new("metered", json!(n))).collect();
    enqueue_many(&db, &jobs).await.unwrap();
    let meter = Arc::new(Meter::default());
    let well = Arc::new(AtomicBool::new(false));
    let flaky = Flaky { db: db.clone(), calls: AtomicUsize::new(0), well: Arc::clone(&well) };
    let options = Options { poll: Duration::from_millis(1), batch: 20, ..Options::default() };
    let running =
        Engine::new(Arc::new(flaky), options).queue("default", 4).worker(Metered(Arc::clone(&meter))).start();
    let stats = running.stats();
    wait_until(|| async { stats.snapshot().done >= 200 }).await;
    well.store(true, Ordering::SeqCst);
    assert!(running.drain(Duration::from_secs(20)).await.clean);
    let counts = jobs::counts(&db).await.unwrap();
    assert_eq!(counts.len(), 1, "{counts:?}");
    assert_eq!((counts[0].state, counts[0].jobs), (State::Completed, 200));
    assert!(stats.snapshot().store_errors > 0);
    assert!(meter.seen.lock().unwrap().values().all(|runs| *runs == 1));
});

both!(ended_jobs_are_pruned_after_their_time, |db| {
    let clock = TestClock::new();
    let old = one(&db, NewJob::new("w", json!({}))).await;
    let keep = Duration::from_mins(1);
    let engine = engine(&db, Options { keep, ..clock.options() }).worker(Always::new("w", Outcome::Done));
    engine.run_due().await.unwrap();
    clock.turn(Duration::from_secs(61));
    let waiting = one(&db, NewJob::new("w", json!({})).at(i64::MAX / 2)).await;
    let running = engine.start();
    wait_until(|| async { find(&db, old).await.unwrap().is_none() }).await;
    running.drain(Duration::from_secs(10)).await;
    assert_eq!(row(&db, waiting).await.state, State::Scheduled);
});

both!(what_a_busy_node_has_taken_ahead_goes_to_one_that_is_free, |db| {
    let gated = Gated::new();
    let start = || {
        let options = Options { poll: Duration::from_millis(20), ..Options::default() };
        let quick = Always::new("quick", Outcome::Done);
        engine(&db, options).queue("default", 1).worker(gated.clone()).worker(quick).start()
    };
    let busy = start();
    // It takes ahead once it has seen that jobs are short.
    let quick: Vec<NewJob> = (0..50).map(|n| NewJob::new("quick", json!(n))).collect();
    enqueue_many(&db, &quick).await.unwrap();
    wait_until(|| async { busy.stats().snapshot().done == 50 }).await;
    enqueue_many(&db, &[0, 1].map(|n| NewJob::new("gated", json!(n)))).await.unwrap();
    gated.begun().await;
    wait_until(|| async { busy.stats().snapshot().taken == 52 }).await;
    let free = start();
    // The first job goes on and on; the second one begins on the other node.
    gated.begun().await;
    assert_eq!(free.stats().snapshot().running, 1);
    gated.gate.add_permits(2);
    for running in [busy, free] {
        assert!(running.drain(Duration::from_secs(10)).await.clean);
    }
});
