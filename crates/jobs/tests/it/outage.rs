//! The database is gone for ten seconds: engines heal by themselves.

use std::sync::Arc;
use std::time::Duration;

use jobs::{Engine, NewJob, Options, State, counts, enqueue_many, schema};
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::json;

use crate::node::connect;
use crate::server::Server;
use crate::workers::{Gated, Meter, Metered, one, row, wait_until};

async fn completed(db: &DatabaseConnection) -> i64 {
    let counts = counts(db).await.unwrap();
    counts.iter().filter(|count| count.state == State::Completed).map(|count| count.jobs).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_engine_heals_after_its_database_was_gone_for_ten_seconds() {
    let server = tokio::task::spawn_blocking(Server::start).await.unwrap();
    let db = connect(&server.url()).await;
    db.execute_unprepared(&schema::up(db.get_database_backend())).await.unwrap();
    let (meter, gated) = (Arc::new(Meter::default()), Gated::new());
    let engine = || {
        Engine::new(Arc::new(db.clone()), Options::default())
            .queue("default", 4)
            .worker(Metered(Arc::clone(&meter)))
            .worker(gated.clone())
            .start()
    };
    let (first, second) = (engine(), engine());
    // One runs through all of it, at its only attempt; the others flow.
    let long = one(&db, NewJob::new("gated", json!(0)).max_attempts(1)).await;
    gated.begun().await;
    let jobs = |n: i64| (0..n).map(|n| NewJob::new("metered", json!(n))).collect::<Vec<_>>();
    enqueue_many(&db, &jobs(500)).await.unwrap();
    first.wake().all();
    let stats = [first.stats(), second.stats()];
    let done = || stats.iter().map(|stats| stats.snapshot().done).sum::<u64>();
    wait_until(|| async { done() > 100 }).await;

    server.crash();
    wait_until(|| async { stats.iter().any(|stats| stats.snapshot().store_errors > 0) }).await;
    // The outage itself: nothing is waited for.
    tokio::time::sleep(Duration::from_secs(10)).await;
    server.resume();

    wait_until(|| async { enqueue_many(&db, &jobs(100)).await.is_ok() }).await;
    wait_until(|| async { completed(&db).await == 600 }).await;
    gated.gate.add_permits(2);
    wait_until(|| async { row(&db, long).await.state == State::Completed }).await;
    for running in [first, second] {
        assert!(running.drain(Duration::from_secs(20)).await.clean);
    }
    let stored = row(&db, long).await;
    assert!(stored.errors.is_empty(), "it was given back, not failed: {stored:?}");
    assert_eq!(meter.seen.lock().unwrap().len(), 600, "each of them ran");
    db.close_by_ref().await.unwrap();
    drop(server);
}
