//! PostgreSQL's NOTIFY: engines hear of work and of changes without a poll.

use std::sync::Arc;
use std::time::Duration;

use jobs::{Engine, NewJob, Options, Wake, enqueue, notify, queues};
use sea_orm::{ConnectionTrait, DatabaseConnection, TransactionTrait};
use serde_json::json;

use crate::database::postgres;
use crate::workers::{Gated, engine, wait_until};

/// Nobody finds anything by looking.
fn deaf_without_notify() -> Options {
    Options { poll: Duration::from_hours(8), ..Options::default() }
}

async fn listeners(db: &DatabaseConnection) -> i64 {
    let sql = "SELECT count(*) FROM pg_stat_activity WHERE query = 'LISTEN \"jobs\"' AND datname = current_database()";
    let statement = sea_orm::Statement::from_string(db.get_database_backend(), sql);
    db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

/// Enqueues and tells, until the job has begun: a word that is said while the engine is still starting is not for it.
async fn begun(db: &DatabaseConnection, gated: &Gated) {
    enqueue(db, &NewJob::new("gated", json!(0))).await.unwrap();
    notify(db, "default").await.unwrap();
    tokio::time::timeout(Duration::from_mins(1), gated.begun()).await.expect("nobody heard");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn work_from_another_process_is_heard_also_after_the_connection_was_lost() {
    let test = postgres().await;
    let db = test.db.clone();
    let gated = Gated::new();
    gated.gate.add_permits(10);
    let running = engine(&db, deaf_without_notify()).worker(gated.clone()).start();
    wait_until(|| async { listeners(&db).await == 1 }).await;
    begun(&db, &gated).await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = 'LISTEN \"jobs\"' \
                AND datname = current_database()";
    // What is enqueued while it does not listen is found when it listens again.
    db.execute_unprepared(kill).await.unwrap();
    wait_until(|| async { listeners(&db).await == 0 }).await;
    enqueue(&db, &NewJob::new("gated", json!(0))).await.unwrap();
    tokio::time::timeout(Duration::from_mins(1), gated.begun()).await.expect("nobody looked");
    wait_until(|| async { listeners(&db).await == 1 }).await;
    begun(&db, &gated).await;
    running.drain(Duration::from_secs(10)).await;
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn an_engine_passes_on_what_its_own_process_enqueues() {
    let test = postgres().await;
    let db = test.db.clone();
    let gated = Gated::new();
    gated.gate.add_permits(10);
    let worker = engine(&db, deaf_without_notify()).worker(gated.clone()).start();
    // It serves another queue: the web server's engine, say.
    let wake = Wake::new();
    let other = Engine::new(Arc::new(db.clone()), Options { wake: wake.clone(), ..deaf_without_notify() })
        .queue("other", 1)
        .start();
    wait_until(|| async { listeners(&db).await == 2 }).await;
    enqueue(&db, &NewJob::new("gated", json!(0))).await.unwrap();
    wake.queue("default");
    tokio::time::timeout(Duration::from_mins(1), gated.begun()).await.expect("nobody heard");
    worker.drain(Duration::from_secs(10)).await;
    other.drain(Duration::from_secs(10)).await;
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn a_change_of_a_queue_is_heard_when_it_commits() {
    let test = postgres().await;
    let db = test.db.clone();
    queues::pause(&db, "default").await.unwrap();
    let gated = Gated::new();
    gated.gate.add_permits(10);
    let running = engine(&db, deaf_without_notify()).worker(gated.clone()).start();
    wait_until(|| async { listeners(&db).await == 1 }).await;
    enqueue(&db, &NewJob::new("gated", json!(0))).await.unwrap();
    let tx = db.begin().await.unwrap();
    queues::resume(&tx, "default").await.unwrap();
    assert_eq!(running.stats().snapshot().taken, 0);
    tx.commit().await.unwrap();
    tokio::time::timeout(Duration::from_mins(1), gated.begun()).await.expect("nobody heard");
    running.drain(Duration::from_secs(10)).await;
    test.close().await;
}
