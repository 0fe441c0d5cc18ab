//! Leases: kept while a node lives, lost with it; running jobs that are cancelled.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures::future::BoxFuture;
use jobs::testing::TestClock;
use jobs::{
    Engine, Event, Job, NewJob, Observer, Options, Outcome, State, Stopped, Store, Worker, cancel, retry,
};
use sea_orm::{ConnectionTrait, DatabaseConnection, DbBackend, DbErr, QueryResult, Statement};
use serde_json::json;
use tokio::sync::Semaphore;

use crate::database::both;
use crate::workers::{Gated, engine, one, row, wait_until};

both!(a_node_that_lost_its_lease_can_acknowledge_nothing, |db| {
    let id = one(&db, NewJob::new("gated", json!({}))).await;
    let slow = Gated::new();
    // Its clock stands still, as that of a machine that is suspended: it believes in its lease. It looks for work once.
    let suspended = Options { poll: Duration::from_hours(8), ..TestClock::new().options() };
    // It hears nothing either: `Cable` does not listen.
    let deaf = Cable { db: db.clone(), out: Arc::default() };
    let first = Engine::new(Arc::new(deaf), suspended).queue("default", 2).worker(slow.clone()).start();
    slow.begun().await;
    let clock = TestClock::new();
    clock.turn(Duration::from_secs(61));
    let quick = Gated::new();
    quick.gate.add_permits(1);
    let second = engine(&db, clock.options()).worker(quick.clone()).start();
    wait_until(|| async { row(&db, id).await.state == State::Completed }).await;
    slow.gate.add_permits(1);
    let stats = first.stats();
    wait_until(|| async { stats.snapshot().lost == 1 }).await;
    first.drain(Duration::from_secs(10)).await;
    assert_eq!(second.drain(Duration::from_secs(10)).await.stats.rescued, 1);
    let stored = row(&db, id).await;
    assert_eq!((stored.state, stored.attempt), (State::Completed, 2));
    assert_eq!(stored.errors.len(), 1, "the lost lease is on record: {stored:?}");
});

both!(a_lease_lost_at_the_last_attempt_discards, |db| {
    let clock = TestClock::new();
    let id = one(&db, NewJob::new("gated", json!({})).max_attempts(1)).await;
    let slow = Gated::new();
    let first = engine(&db, clock.options()).worker(slow.clone()).start();
    slow.begun().await;
    first.cut_off().await;
    clock.turn(Duration::from_secs(61));
    assert_eq!(engine(&db, clock.options()).run_due().await.unwrap(), 0);
    let stored = row(&db, id).await;
    assert_eq!(stored.state, State::Discarded);
    assert!(stored.errors.first().unwrap().error.contains("lease of node node-"), "{stored:?}");
});

/// A lease whose keeper looks often, so that a test need not wait long.
fn short(clock: &TestClock) -> Options {
    Options { lease: Duration::from_secs(1), ..clock.options() }
}

both!(a_living_node_keeps_its_lease_for_as_long_as_its_worker_runs, |db| {
    let clock = TestClock::new();
    let id = one(&db, NewJob::new("gated", json!({})).max_attempts(1)).await;
    let gated = Gated::new();
    let running = engine(&db, short(&clock)).worker(gated.clone()).start();
    let other = engine(&db, short(&clock)).worker(gated.clone()).start();
    gated.begun().await;
    let mut until = row(&db, id).await.lease_until.unwrap();
    for _ in 0..6 {
        clock.turn(Duration::from_millis(400));
        wait_until(|| async { row(&db, id).await.lease_until > Some(until) }).await;
        until = row(&db, id).await.lease_until.unwrap();
    }
    gated.gate.add_permits(1);
    wait_until(|| async { row(&db, id).await.state == State::Completed }).await;
    let stats = [
        running.drain(Duration::from_secs(10)).await.stats,
        other.drain(Duration::from_secs(10)).await.stats,
    ];
    assert_eq!(stats.map(|stats| (stats.rescued, stats.lost, stats.stopped)), [(0, 0, 0); 2]);
    assert_eq!(row(&db, id).await.attempt, 1);
});

both!(a_cancelled_job_that_runs_is_stopped_at_once, |db| {
    let id = one(&db, NewJob::new("gated", json!({}))).await;
    let gated = Gated::new();
    // Nothing but the message can tell it: no poll, and no lease that is looked at.
    let hours = Duration::from_hours(8);
    let options = Options { poll: hours, lease: hours, ..Options::default() };
    let running = engine(&db, options).worker(gated.clone()).start();
    running.wake().queue("default");
    gated.begun().await;
    let stats = running.stats();
    let cancelled = async {
        // Whether it listens already can't be seen: said again, it is heard some time.
        while stats.snapshot().stopped == 0 {
            cancel(&db, id).await.unwrap();
            if db.get_database_backend() == DbBackend::Sqlite {
                running.wake().control();
            } else {
                jobs::queues::resume(&db, "default").await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), cancelled).await.expect("nobody stopped it");
    let drained = running.drain(Duration::from_secs(10)).await;
    assert_eq!((drained.clean, drained.stats.lost), (true, 0));
    let stored = row(&db, id).await;
    assert_eq!((stored.state, stored.attempt), (State::Cancelled, 1));
});

both!(a_cancelled_job_that_runs_is_stopped_at_the_next_renewal_if_nobody_tells, |db| {
    let clock = TestClock::new();
    let id = one(&db, NewJob::new("gated", json!({}))).await;
    let gated = Gated::new();
    let running =
        engine(&db, Options { poll: Duration::from_hours(8), ..short(&clock) }).worker(gated.clone()).start();
    gated.begun().await;
    // By hand, past everything that tells.
    let sql =
        format!("UPDATE jobs SET state = 'cancelled', completed_at = {}, lease_until = NULL", clock.now());
    db.execute_unprepared(&sql).await.unwrap();
    clock.turn(Duration::from_millis(400));
    let stats = running.stats();
    wait_until(|| async { stats.snapshot().stopped == 1 }).await;
    running.drain(Duration::from_secs(10)).await;
    assert_eq!(row(&db, id).await.state, State::Cancelled);
});

both!(a_retry_by_hand_leaves_a_running_job_alone, |db| {
    let id = one(&db, NewJob::new("gated", json!({}))).await;
    let gated = Gated::new();
    let running = engine(&db, Options::default()).worker(gated.clone()).start();
    gated.begun().await;
    assert!(!retry(&db, id).await.unwrap());
    gated.gate.add_permits(1);
    wait_until(|| async { row(&db, id).await.state == State::Completed }).await;
    assert!(!retry(&db, id).await.unwrap());
    assert!(!cancel(&db, id).await.unwrap());
    running.drain(Duration::from_secs(10)).await;
});

/// A database that is there or not.
#[derive(Clone)]
struct Cable {
    db: DatabaseConnection,
    out: Arc<AtomicBool>,
}

impl Store for Cable {
    fn backend(&self) -> DbBackend {
        self.db.backend()
    }

    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>> {
        if self.out.load(Ordering::SeqCst) {
            return Box::pin(async { Err(DbErr::Custom("the cable is out".to_owned())) });
        }
        self.db.run(statement)
    }
}

#[derive(Default)]
struct Stops(std::sync::Mutex<Vec<Stopped>>);

impl Observer for Stops {
    fn event(&self, event: &Event<'_>) {
        if let Event::Stopped { why, .. } = event {
            self.0.lock().unwrap().push(*why);
        }
    }
}

both!(a_node_without_its_database_stops_in_time_and_loses_no_attempt, |db| {
    let clock = TestClock::new();
    let id = one(&db, NewJob::new("gated", json!({})).max_attempts(1)).await;
    let gated = Gated::new();
    let cables = [(); 2].map(|()| Cable { db: db.clone(), out: Arc::default() });
    let stops = Arc::new(Stops::default());
    let start = |cable: &Cable| {
        Engine::new(Arc::new(cable.clone()), short(&clock))
            .queue("default", 1)
            .worker(gated.clone())
            .observe(stops.clone())
            .start()
    };
    let first = start(&cables[0]);
    gated.begun().await;
    let second = start(&cables[1]);
    for cable in &cables {
        cable.out.store(true, Ordering::SeqCst);
    }
    let stats = [first.stats(), second.stats()];
    wait_until(|| async { stats.iter().all(|stats| stats.snapshot().store_errors > 0) }).await;
    // So much later that the lease is over for everybody.
    clock.turn(Duration::from_secs(10));
    wait_until(|| async { *stops.0.lock().unwrap() == [Stopped::LeaseOver] }).await;
    // The one that did not run it comes back first, and gives the other one time to say that it lives. It has swept when
    // what was due is staged.
    for cable in cables.iter().rev() {
        let due = one(&db, NewJob::new("nobody", json!({})).queue("other").at(clock.now())).await;
        cable.out.store(false, Ordering::SeqCst);
        wait_until(|| async { row(&db, due).await.state == State::Available }).await;
    }
    gated.gate.add_permits(1);
    wait_until(|| async { row(&db, id).await.state == State::Completed }).await;
    first.drain(Duration::from_secs(10)).await;
    second.drain(Duration::from_secs(10)).await;
    let stored = row(&db, id).await;
    assert_eq!((stored.attempt, stored.errors.len()), (2, 0), "given back, not failed: {stored:?}");
    assert_eq!(stats.map(|stats| stats.snapshot().rescued), [0, 0]);
});

/// A database whose answer to the second taking is lost on the way.
struct Lossy {
    db: DatabaseConnection,
    takings: AtomicUsize,
}

impl Store for Lossy {
    fn backend(&self) -> DbBackend {
        self.db.backend()
    }

    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>> {
        Box::pin(async move {
            let taking = statement.sql.contains("attempt = attempt + 1");
            let rows = self.db.run(statement).await?;
            if taking && !rows.is_empty() && self.takings.fetch_add(1, Ordering::SeqCst) == 1 {
                return Err(DbErr::Custom("the connection was reset".to_owned()));
            }
            Ok(rows)
        })
    }
}

both!(jobs_whose_taking_was_not_heard_of_are_not_kept_for_ever, |db| {
    let clock = TestClock::new();
    let store = Lossy { db: db.clone(), takings: AtomicUsize::new(0) };
    let gated = Gated::new();
    let running =
        Engine::new(Arc::new(store), short(&clock)).queue("default", 2).worker(gated.clone()).start();
    let held = one(&db, NewJob::new("gated", json!({}))).await;
    gated.begun().await;
    let unheard = one(&db, NewJob::new("gated", json!({}))).await;
    wait_until(|| async { row(&db, unheard).await.state == State::Executing }).await;
    let mut until = row(&db, held).await.lease_until;
    for _ in 0..4 {
        clock.turn(Duration::from_millis(400));
        wait_until(|| async { row(&db, held).await.lease_until > until }).await;
        until = row(&db, held).await.lease_until;
    }
    // Two run: the one that was held all the time, and the other at its second attempt.
    gated.begun().await;
    assert_eq!((row(&db, held).await.attempt, row(&db, unheard).await.attempt), (1, 2));
    gated.gate.add_permits(2);
    running.drain(Duration::from_secs(10)).await;
});

/// A database that goes on with what it was asked when whoever asked has gone, and whose renewals take until they are let.
struct Stubborn {
    db: DatabaseConnection,
    renewing: Arc<Semaphore>,
    go: Arc<Semaphore>,
    renewed: Arc<AtomicUsize>,
}

impl Store for Stubborn {
    fn backend(&self) -> DbBackend {
        self.db.backend()
    }

    fn run(&self, statement: Statement) -> BoxFuture<'_, Result<Vec<QueryResult>, DbErr>> {
        let renewal = statement.sql.starts_with("UPDATE jobs SET lease_until = $1");
        let (db, renewing, go) = (self.db.clone(), Arc::clone(&self.renewing), Arc::clone(&self.go));
        let renewed = Arc::clone(&self.renewed);
        let asked = tokio::spawn(async move {
            if !renewal {
                return db.run(statement).await;
            }
            renewing.add_permits(1);
            go.acquire().await.unwrap().forget();
            let rows = db.run(statement).await;
            renewed.fetch_add(1, Ordering::SeqCst);
            rows
        });
        Box::pin(async move { asked.await.unwrap() })
    }
}

both!(an_engine_that_is_cut_off_has_said_its_last_word_and_leaves_its_jobs_to_their_leases, |db| {
    let clock = TestClock::new();
    let id = one(&db, NewJob::new("gated", json!({})).max_attempts(1)).await;
    let [renewing, go] = [(); 2].map(|()| Arc::new(Semaphore::new(0)));
    let renewed = Arc::new(AtomicUsize::new(0));
    let store = Stubborn {
        db: db.clone(),
        renewing: Arc::clone(&renewing),
        go: Arc::clone(&go),
        renewed: Arc::clone(&renewed),
    };
    let gated = Gated::new();
    let options = Options { lease: Duration::from_secs(40), ..clock.options() };
    let running = Engine::new(Arc::new(store), options).queue("default", 1).worker(gated.clone()).start();
    gated.begun().await;
    // Every lease is renewed at once, and the statement takes its time.
    running.wake().control();
    renewing.acquire().await.unwrap().forget();
    // However long the database takes. An engine that does not wait for it needs a few statements and no more, so it would
    // be gone by then; one that waits is never in time.
    let mut cut_off = std::pin::pin!(running.cut_off());
    let early = tokio::time::timeout(Duration::from_millis(500), &mut cut_off).await;
    assert!(early.is_err(), "what the database was asked is waited for");
    go.add_permits(1);
    cut_off.await;
    assert_eq!(renewed.load(Ordering::SeqCst), 1, "and by then it is done");
    let left = row(&db, id).await;
    assert_eq!(
        (left.state, left.attempt, left.max_attempts),
        (State::Executing, 1, 1),
        "nothing is given back"
    );
    clock.turn(Duration::from_secs(41));
    assert_eq!(engine(&db, clock.options()).run_due().await.unwrap(), 0);
    assert_eq!(row(&db, id).await.state, State::Discarded, "its lease was its last");
});

/// Never gives its thread back until it is let.
struct Hog(Arc<AtomicBool>);

impl Worker for Hog {
    fn name(&self) -> &'static str {
        "hog"
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            while job.attempt == 1 && !self.0.load(Ordering::SeqCst) {
                std::thread::sleep(Duration::from_millis(10));
            }
            Outcome::Done
        })
    }

    fn timeout(&self) -> Duration {
        Duration::from_millis(1)
    }
}

both!(an_attempt_that_blocks_its_thread_is_seen_and_loses_its_lease, |db| {
    let clock = TestClock::new();
    let id = one(&db, NewJob::new("hog", json!({}))).await;
    let let_go = Arc::new(AtomicBool::new(false));
    let running = engine(&db, short(&clock)).worker(Hog(let_go.clone())).start();
    let stats = running.stats();
    wait_until(|| async { stats.snapshot().stuck == 1 }).await;
    clock.turn(Duration::from_secs(2));
    wait_until(|| async { row(&db, id).await.state == State::Completed }).await;
    let_go.store(true, Ordering::SeqCst);
    let drained = running.drain(Duration::from_secs(10)).await;
    assert_eq!((drained.stats.rescued, drained.stats.lost), (1, 1));
    assert_eq!(row(&db, id).await.attempt, 2);
});
