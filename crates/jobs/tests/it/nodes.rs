//! Three processes on one PostgreSQL: no job twice at once, a tick once, and what a killed one ran is soon taken up.

use std::collections::BTreeSet;
use std::time::Duration;

use jobs::{Filter, NewJob, Options, State, Stored, enqueue_many, list};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::json;

use crate::database::{TestDatabase, postgres};
use crate::node::{Node, TABLES, now};
use crate::workers::wait_until;

fn three(test: &TestDatabase) -> Vec<Node> {
    let lease = Options::default().lease;
    ["a", "b", "c"].map(|name| Node::start(&test.url, name, lease)).into_iter().collect()
}

async fn number(db: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(db.get_database_backend(), sql);
    db.query_one_raw(statement).await.unwrap().unwrap().try_get_by_index(0).unwrap()
}

async fn of_worker(db: &DatabaseConnection, worker: &str) -> Vec<Stored> {
    let filter = Filter { worker: Some(worker.to_owned()), ..Filter::default() };
    list(db, &filter, None, 200).await.unwrap().jobs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn three_processes_run_no_job_twice_and_fire_a_tick_once() {
    let test = postgres().await;
    let db = &test.db;
    db.execute_unprepared(TABLES).await.unwrap();
    let mut nodes = three(&test);
    for part in 0..6 {
        let jobs: Vec<NewJob> =
            (0..50).map(|n| NewJob::new("alone", json!({ "part": part, "ms": n % 7 }))).collect();
        enqueue_many(db, &jobs).await.unwrap();
        jobs::notify(db, "default").await.unwrap();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let left = "SELECT count(*) FROM jobs WHERE cron IS NULL AND state <> 'completed'";
    wait_until(|| async { number(db, left).await == 0 }).await;
    let beats = "SELECT count(*) FROM jobs WHERE cron = 'beat' AND state = 'completed'";
    wait_until(|| async { number(db, beats).await >= 3 }).await;

    // The leader dies without a word; the next one goes on.
    let sql = "SELECT node FROM job_leaders";
    let row =
        db.query_one_raw(Statement::from_string(db.get_database_backend(), sql)).await.unwrap().unwrap();
    let leader: String = row.try_get_by_index(0).unwrap();
    let index = ["a-", "b-", "c-"].iter().position(|name| leader.starts_with(name)).unwrap();
    nodes.remove(index).kill();
    let killed = now();
    let later = format!("SELECT count(*) FROM jobs WHERE tick > {killed} AND state = 'completed'");
    wait_until(|| async { number(db, &later).await >= 3 }).await;

    assert_eq!(number(db, "SELECT count(*) FROM doubles").await, 0);
    assert_eq!(number(db, "SELECT count(*) - count(DISTINCT tick) FROM jobs WHERE cron = 'beat'").await, 0);
    // Each of those that the killed one did not hold ran exactly once.
    let twice = "SELECT count(*) FROM jobs JOIN (SELECT job, count(*) AS times FROM runs GROUP BY job) r ON r.job = jobs.id \
                 WHERE r.times <> jobs.attempt OR (jobs.attempt > 1 AND errors = '[]')";
    assert_eq!(number(db, twice).await, 0);
    let busy = number(db, "SELECT count(DISTINCT left(node, 1)) FROM runs").await;
    assert!(busy >= 2, "{busy} nodes did all the work");
    drop(nodes);
    test.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_jobs_of_a_killed_process_are_taken_up_within_ten_seconds_and_those_of_the_living_are_left() {
    let test = postgres().await;
    let db = &test.db;
    db.execute_unprepared(TABLES).await.unwrap();
    let mut nodes = three(&test);
    // Each node runs four at a time: nine are spread over all three.
    let jobs: Vec<NewJob> = (0..9).map(|n| NewJob::new("hold", json!(n))).collect();
    enqueue_many(db, &jobs).await.unwrap();
    let at = |jobs: &[Stored], name: &str| -> BTreeSet<i64> {
        let of = |job: &&Stored| job.node.as_ref().is_some_and(|node| node.starts_with(name));
        jobs.iter().filter(of).map(|job| job.id.0).collect()
    };
    wait_until(|| async {
        let jobs = of_worker(db, "hold").await;
        ["a-", "b-", "c-"].iter().all(|name| (1..=4).contains(&at(&jobs, name).len()))
            && jobs.iter().all(|job| job.state == State::Executing)
    })
    .await;
    // Long enough that every lease must have been renewed.
    let first = of_worker(db, "hold").await.iter().filter_map(|job| job.lease_until).max().unwrap();
    wait_until(|| async {
        of_worker(db, "hold").await.iter().all(|job| job.lease_until.is_some_and(|until| until > first))
    })
    .await;
    let before = of_worker(db, "hold").await;
    let victim = ["a-", "b-", "c-"].into_iter().max_by_key(|name| at(&before, name).len()).unwrap();
    let lost = at(&before, victim);
    assert!(!lost.is_empty());
    let killed = now();
    nodes.remove(["a-", "b-", "c-"].iter().position(|name| *name == victim).unwrap()).kill();
    wait_until(|| async {
        let jobs = of_worker(db, "hold").await;
        jobs.iter().filter(|job| lost.contains(&job.id.0)).all(|job| job.state == State::Completed)
    })
    .await;
    for job in of_worker(db, "hold").await {
        if lost.contains(&job.id.0) {
            let waited = job.attempted_at.unwrap() - killed;
            eprintln!("job {}: taken up {waited} ms after the kill", job.id);
            assert!((0..=10_000).contains(&waited), "taken up after {waited} ms: {job:?}");
            assert!(job.errors[0].error.contains("the lease of node"), "{job:?}");
        } else {
            assert_eq!((job.state, job.errors.len()), (State::Executing, 0), "{job:?}");
        }
    }
    drop(nodes);
    test.close().await;
}
