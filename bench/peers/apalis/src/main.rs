//! No-op jobs a second with apalis, 10 at a time, batches of 500, on PostgreSQL (`DATABASE_URL`, an empty database) and on a
//! new SQLite file (WAL, `synchronous=FULL`). `BENCH_JOBS` (20,000) jobs are there when the clock starts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use apalis::prelude::*;
use apalis_postgres::PostgresStorage;
use apalis_sqlite::SqliteStorage;
use futures::stream::{self, StreamExt};

static DONE: AtomicU64 = AtomicU64::new(0);

async fn nothing(_job: u64) -> Result<(), BoxDynError> {
    DONE.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

async fn measure(name: &str, jobs: u64) {
    let began = Instant::now();
    DONE.store(0, Ordering::Relaxed);
    while DONE.load(Ordering::Relaxed) < jobs {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    println!("apalis, {name}: {:.0} jobs/s", jobs as f64 / began.elapsed().as_secs_f64());
}

#[tokio::main(worker_threads = 2)]
async fn main() {
    let jobs: u64 = std::env::var("BENCH_JOBS").map_or(20_000, |text| text.parse().expect("a number"));
    let items = || stream::iter(1..=jobs).map(|n| TaskBuilder::new(n).build());

    if let Ok(url) = std::env::var("DATABASE_URL") {
        let pool = sqlx::PgPool::connect(&url).await.expect("the database answers");
        PostgresStorage::setup(&pool).await.expect("its tables");
        let config = apalis_postgres::Config::default().queue("bench").batch_size(500);
        let mut backend = PostgresStorage::new(&pool).with_config(config);
        backend.push_all(&mut Box::pin(items())).await.expect("the jobs go in");
        let worker = WorkerBuilder::new("bench").backend(backend).concurrency(10).build(nothing);
        let running = tokio::spawn(worker.run());
        measure("PostgreSQL", jobs).await;
        running.abort();
    }
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}?mode=rwc", folder.path().join("jobs.db").display());
    let pool = sqlx::SqlitePool::connect(&url).await.expect("the file opens");
    for pragma in ["PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"] {
        sqlx::query(pragma).execute(&pool).await.expect("a pragma");
    }
    SqliteStorage::setup(&pool).await.expect("its tables");
    let config = apalis_sqlite::Config::default().queue("bench").batch_size(500);
    let mut backend = SqliteStorage::new(&pool).with_config(config);
    backend.push_all(&mut Box::pin(items())).await.expect("the jobs go in");
    let worker = WorkerBuilder::new("bench").backend(backend).concurrency(10).build(nothing);
    let running = tokio::spawn(worker.run());
    measure("SQLite", jobs).await;
    running.abort();
}
