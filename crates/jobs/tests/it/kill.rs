//! kill -9 in the middle of jobs: nothing that was enqueued is lost, no effect is doubled.
//!
//! Each job notes an effect under its key and enqueues the next link of its chain, in one transaction. The node is killed at
//! random points and started again. In the end each chain has each of its links once. `PULSE_SOAK_ROUNDS` sets the
//! rounds, five by default.

use std::time::Duration;

use jobs::{NewJob, State, counts, enqueue_many};
use rand::RngExt as _;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::json;

use crate::database::{TestDatabase, postgres, sqlite};
use crate::node::{LINKS, Node, TABLES, connect};
use crate::workers::wait_until;

const CHAINS: i64 = 40;

fn rounds() -> i64 {
    std::env::var("PULSE_SOAK_ROUNDS").map_or(5, |rounds| rounds.parse().unwrap())
}

async fn effects(db: &DatabaseConnection) -> i64 {
    let statement = Statement::from_string(db.get_database_backend(), "SELECT count(*) FROM effects");
    db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn soak(test: TestDatabase) {
    test.db.execute_unprepared(TABLES).await.unwrap();
    // As a node has it: with patience for the other process.
    let db = connect(&test.url).await;
    let lease = Duration::from_secs(2);
    for round in 0..rounds() {
        let node = Node::start(&test.url, "victim", lease);
        let jobs: Vec<NewJob> =
            (0..CHAINS).map(|n| NewJob::new("chain", json!([format!("{round}-{n}"), 1]))).collect();
        enqueue_many(&db, &jobs).await.unwrap();
        // It is at work; the point of the kill is drawn.
        let before = effects(&db).await;
        wait_until(|| async { effects(&db).await > before }).await;
        tokio::time::sleep(Duration::from_micros(rand::rng().random_range(0..60_000))).await;
        node.kill();
        eprintln!("round {round}: {} effects", effects(&db).await);
    }
    let node = Node::start(&test.url, "last", lease);
    let all = rounds() * CHAINS * LINKS;
    // After many rounds much is left to do: it may take its time, as long as it goes on.
    let mut done = effects(&db).await;
    while done < all {
        wait_until(|| async { effects(&db).await > done }).await;
        done = effects(&db).await;
    }
    let ended = || async { counts(&db).await.unwrap().iter().all(|count| count.state == State::Completed) };
    wait_until(ended).await;
    drop(node);
    assert_eq!(effects(&db).await, all, "each link of each chain once");
    // (On PostgreSQL the node has a cron entry, too, whose jobs belong to no chain.)
    let sql =
        "SELECT count(*), CAST(coalesce(sum(attempt - 1), 0) AS bigint) FROM jobs WHERE worker = 'chain'";
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    assert_eq!(row.try_get_by_index::<i64>(0).unwrap(), all, "and one job for each");
    eprintln!("{all} links, {} attempts died with their node", row.try_get_by_index::<i64>(1).unwrap());
    db.close().await.unwrap();
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_nothing_is_lost_or_doubled_by_kill_9_on_sqlite() {
    soak(sqlite().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn soak_nothing_is_lost_or_doubled_by_kill_9_on_postgres() {
    soak(postgres().await).await;
}
