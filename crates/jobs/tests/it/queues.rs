//! Stored queues: paused, resumed and scaled while engines run, by whoever writes their rows.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jobs::queues::{self, QueueRow};
use jobs::testing::TestClock;
use jobs::{Engine, NewJob, Options, Outcome, State, counts, enqueue_many};
use sea_orm::{DatabaseConnection, DbBackend, TransactionTrait};
use serde_json::json;

use crate::database::both;
use crate::workers::{Always, Gated, Meter, Metered, engine, wait_until};

async fn many(db: &DatabaseConnection, worker: &str, n: usize) {
    let jobs: Vec<NewJob> = (0..n).map(|n| NewJob::new(worker, json!(n))).collect();
    enqueue_many(db, &jobs).await.unwrap();
}

async fn in_state(db: &DatabaseConnection, state: State) -> i64 {
    counts(db).await.unwrap().iter().filter(|count| count.state == state).map(|count| count.jobs).sum()
}

async fn queue(db: &DatabaseConnection) -> QueueRow {
    let rows = queues::list(db).await.unwrap();
    rows.into_iter().find(|row| row.name == "default").unwrap()
}

/// What the caller of a change does after its commit where the database does not tell engines by itself.
fn told(db: &DatabaseConnection, running: &jobs::Running) {
    if db.get_database_backend() == DbBackend::Sqlite {
        running.wake().control();
    }
}

both!(a_paused_queue_gives_nothing_from_the_commit_on, |db| {
    many(&db, "w", 2).await;
    // This engine reads no rows of queues: the taking statement does.
    let engine = engine(&db, TestClock::new().options()).worker(Always::new("w", Outcome::Done));
    let tx = db.begin().await.unwrap();
    queues::pause(&tx, "default").await.unwrap();
    tx.rollback().await.unwrap();
    assert_eq!(engine.run_due().await.unwrap(), 2);
    many(&db, "w", 2).await;
    queues::pause(&db, "default").await.unwrap();
    assert_eq!(engine.run_due().await.unwrap(), 0);
    assert!(queue(&db).await.paused);
    queues::resume(&db, "default").await.unwrap();
    assert_eq!(engine.run_due().await.unwrap(), 2);
});

both!(a_pause_gives_back_what_has_not_begun_and_lets_end_what_runs, |db| {
    many(&db, "gated", 20).await;
    let gated = Gated::new();
    // No poll: what happens, happens because it was told.
    let running = engine(&db, Options::default()).worker(gated.clone()).start();
    gated.begun().await;
    gated.begun().await;
    queues::pause(&db, "default").await.unwrap();
    told(&db, &running);
    wait_until(|| async { in_state(&db, State::Executing).await == 2 }).await;
    gated.gate.add_permits(2);
    let stats = running.stats();
    wait_until(|| async { stats.snapshot().done == 2 }).await;
    wait_until(|| async { in_state(&db, State::Available).await == 18 }).await;
    assert_eq!(stats.snapshot().running, 0);
    gated.gate.add_permits(18);
    queues::resume(&db, "default").await.unwrap();
    told(&db, &running);
    wait_until(|| async { in_state(&db, State::Completed).await == 20 }).await;
    running.drain(Duration::from_secs(10)).await;
});

both!(an_engine_that_starts_later_finds_its_queue_paused, |db| {
    queues::pause(&db, "default").await.unwrap();
    many(&db, "w", 1).await;
    let options = Options { poll: Duration::from_millis(10), ..Options::default() };
    let running = engine(&db, options).queue("other", 1).worker(Always::new("w", Outcome::Done)).start();
    // The other queue shows that the engine is at work.
    jobs::enqueue(&db, &NewJob::new("w", json!(0)).queue("other")).await.unwrap();
    wait_until(|| async { in_state(&db, State::Completed).await == 1 }).await;
    assert_eq!(queue(&db).await.counts, [(State::Available, 1)]);
    running.drain(Duration::from_secs(10)).await;
});

both!(a_queue_is_scaled_while_it_runs, |db| {
    many(&db, "gated", 30).await;
    let gated = Gated::new();
    let running = engine(&db, Options::default()).worker(gated.clone()).start();
    let stats = running.stats();
    for _ in 0..2 {
        gated.begun().await;
    }
    queues::limit_per_node(&db, "default", Some(5)).await.unwrap();
    told(&db, &running);
    for _ in 0..3 {
        gated.begun().await;
    }
    assert_eq!(stats.snapshot().running, 5);
    queues::limit_per_node(&db, "default", Some(1)).await.unwrap();
    told(&db, &running);
    // The engine follows at the latest when it says so in its row's list; five end, and one begins.
    wait_until(|| async { queue(&db).await.per_node == Some(1) }).await;
    wait_until(|| async { stats.snapshot().buffered == 0 }).await;
    queues::limit_per_node(&db, "default", None).await.unwrap();
    told(&db, &running);
    gated.gate.add_permits(30);
    wait_until(|| async { in_state(&db, State::Completed).await == 30 }).await;
    running.drain(Duration::from_secs(10)).await;
});

both!(a_limit_for_all_nodes_holds_on_all_nodes_together, |db| {
    queues::limit_everywhere(&db, "default", Some(3)).await.unwrap();
    many(&db, "metered", 90).await;
    let meter = Arc::new(Meter::default());
    let options = Options { poll: Duration::from_millis(5), ..Options::default() };
    let engines: Vec<_> = (0..3)
        .map(|_| {
            Engine::new(Arc::new(db.clone()), options.clone())
                .queue("default", 4)
                .worker(Metered(Arc::clone(&meter)))
                .start()
        })
        .collect();
    wait_until(|| async { in_state(&db, State::Completed).await == 90 }).await;
    for running in engines {
        running.drain(Duration::from_secs(10)).await;
    }
    let most = meter.most.load(Ordering::SeqCst);
    assert!((1..=3).contains(&most), "{most} at a time");
    assert!(meter.seen.lock().unwrap().values().all(|runs| *runs == 1));
});

both!(a_limit_of_none_at_all_is_refused_by_the_table, |db| {
    let refused = queues::limit_per_node(&db, "default", Some(0)).await.unwrap_err().to_string();
    assert!(refused.contains("ck_job_queues_per_node"), "{refused}");
});

both!(the_list_tells_where_jobs_stand_and_for_how_long_they_wait, |db| {
    let clock = TestClock::new();
    many(&db, "w", 3).await;
    jobs::enqueue(&db, &NewJob::new("w", json!(0)).at(5_000)).await.unwrap();
    jobs::enqueue(&db, &NewJob::new("w", json!(0)).at(i64::MAX / 2)).await.unwrap();
    let row = queue(&db).await;
    assert_eq!(row.counts, [(State::Scheduled, 1), (State::Available, 4)]);
    assert_eq!(row.oldest_available, Some(5_000));
    let engine = engine(&db, clock.options()).worker(Always::new("w", Outcome::Done));
    engine.run_due().await.unwrap();
    let row = queue(&db).await;
    assert_eq!(row.counts, [(State::Scheduled, 1), (State::Completed, 4)]);
    assert_eq!(row.oldest_available, None);
});
