//! Writes a second through [`pulse_data::Repo::write`], 16 callers at a time, each write of seven small statements:
//! the shape of a checkout without its tables. Shows what the group commit and the hops to SQLite's thread cost.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints rounded figures")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use pulse_data::testing::Database;
use pulse_data::{Backend, DbError, Repo, RepoOptions, Sql as _, Synchronous, Tx};

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let seconds = std::env::var("BENCH_SECONDS").ok().and_then(|s| s.parse().ok()).unwrap_or(3);
    let postgres = std::env::var_os("PULSE_TEST_PG").is_some();
    for (backend, synchronous) in [
        (Backend::Sqlite, Synchronous::Full),
        (Backend::Sqlite, Synchronous::Normal),
        (Backend::Postgres, Synchronous::Full),
    ] {
        if backend == Backend::Sqlite || postgres {
            for statements in [1, 7] {
                runtime.block_on(run(backend, synchronous, statements, Duration::from_secs(seconds)))?;
            }
        }
    }
    Ok(())
}

async fn run(
    backend: Backend,
    synchronous: Synchronous,
    statements: i64,
    time: Duration,
) -> Result<(), Box<dyn Error>> {
    let database = Database::create(backend).await;
    let repo = database.repo_with(RepoOptions { synchronous, ..RepoOptions::default() }).await;
    repo.write(|tx| tx.script("CREATE TABLE bench (id BIGINT, text TEXT)").boxed()).await?;
    let count = Arc::new(AtomicU64::new(0));
    let (cpu, start) = (cpu_seconds(), Instant::now());
    let callers =
        (0..16).map(|_| tokio::spawn(caller(repo.clone(), statements, start + time, Arc::clone(&count))));
    for caller in callers.collect::<Vec<_>>() {
        caller.await??;
    }
    let (wall, cpu) = (start.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let count = count.load(Ordering::Relaxed) as f64;
    println!(
        "write {backend:?} {synchronous:?}, {statements} statement(s): {:.0}/s, {:.0} us of CPU each",
        count / wall,
        cpu * 1e6 / count,
    );
    repo.close().await;
    database.drop().await;
    Ok(())
}

async fn caller(repo: Repo, statements: i64, until: Instant, count: Arc<AtomicU64>) -> Result<(), DbError> {
    while Instant::now() < until {
        repo.write_with(statements, |tx, statements| insert(tx, *statements).boxed()).await?;
        count.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

async fn insert(tx: &Tx, statements: i64) -> Result<(), DbError> {
    for n in 0..statements {
        tx.exec(
            "INSERT INTO bench (id, text) VALUES ($1, $2)",
            vec![n.into(), "a text of some length".into()],
        )
        .await?;
    }
    Ok(())
}

/// User and system time of this process.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: f64 = after.split(' ').skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / 100.0
}
