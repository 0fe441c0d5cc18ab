//! No-op jobs a second through the engine, beside a stripped loop on the same table.
//!
//! One node, 10 at a time, all bookkeeping on (leases, fences, errors, pruning, queues' rows, counters). `BENCH_JOBS` (60,000) jobs are
//! there when the clock starts; it stops when the last one is written down. The peer takes and completes the same jobs
//! with the two barest statements that do it, 500 at a time, one batch being written while the next is taken; product and peer run in turn.
//! The CPU is this process's, so it leaves out PostgreSQL's server. SQLite: WAL, `synchronous` as `BENCH_SYNC` says
//! (FULL). `BENCH_ROUNDS` (3), `BENCH_NODES` (1: engines in this process), `PULSE_TEST_PG`.

#![expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a benchmark prints rounded figures")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use jobs::{
    Engine, Event, Job, NewJob, Observer, Options, Outcome, State, Worker, counts, enqueue_many, schema,
};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};

type Answer<T> = Result<T, Box<dyn Error + Send + Sync>>;

struct Nothing;

impl Worker for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }

    fn run(&self, _job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async { Outcome::Done })
    }
}

/// Counts the statements that took jobs.
#[derive(Default)]
struct Takings(AtomicUsize);

impl Observer for Takings {
    fn event(&self, event: &Event<'_>) {
        if matches!(event, Event::Taken { .. }) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

fn main() -> Answer<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let number = |name: &str, or| std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(or);
    let (jobs, rounds) = (number("BENCH_JOBS", 60_000), number("BENCH_ROUNDS", 3));
    let nodes = number("BENCH_NODES", 1);
    println!("no-op jobs, 10 at a time                 jobs/s   CPU us/job   stripped/s   ratio");
    let mut backends = vec![DbBackend::Sqlite];
    if std::env::var_os("PULSE_TEST_PG").is_some() {
        backends.push(DbBackend::Postgres);
    }
    for backend in backends {
        let mut ratios = Vec::new();
        for round in 1..=rounds {
            let (product, cpu, peer) = runtime.block_on(one_round(backend, jobs, nodes))?;
            ratios.push(product / peer);
            println!(
                "{:36} {product:10.0}   {cpu:10.1}   {peer:10.0}   {:5.2}",
                format!("{backend:?}, round {round}"),
                product / peer,
            );
        }
        ratios.sort_by(f64::total_cmp);
        println!("{backend:?}: median ratio {:.2}", ratios[ratios.len() / 2]);
    }
    Ok(())
}

/// Product, then peer, each on a fresh database: jobs a second, CPU microseconds a job, the peer's a second.
async fn one_round(backend: DbBackend, jobs: usize, nodes: usize) -> Answer<(f64, f64, f64)> {
    let place = Place::new(backend).await?;
    fill(&place.db, jobs).await?;
    let (rate, cpu) = product(&place.db, jobs, nodes).await?;
    place.end().await?;
    let place = Place::new(backend).await?;
    fill(&place.db, jobs).await?;
    let peer = stripped(&place.db, jobs).await?;
    place.end().await?;
    Ok((rate, cpu, peer))
}

async fn product(db: &DatabaseConnection, jobs: usize, nodes: usize) -> Answer<(f64, f64)> {
    let takings = Arc::new(Takings::default());
    let (began, cpu) = (Instant::now(), cpu_seconds());
    let running: Vec<_> = (0..nodes)
        .map(|_| {
            let engine = Engine::new(Arc::new(db.clone()), Options::default());
            engine
                .queue("default", 10)
                .worker(Nothing)
                .observe(Arc::clone(&takings) as Arc<dyn Observer>)
                .start()
        })
        .collect();
    let done = || running.iter().map(|node| node.stats().snapshot().done).sum::<u64>();
    while done() < jobs as u64 {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    for node in running {
        // The drain ends when the last outcome is written.
        node.drain(Duration::from_mins(1)).await;
    }
    print!("{:5.0} a taking  ", jobs as f64 / takings.0.load(Ordering::Relaxed).max(1) as f64);
    let (took, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let counts = counts(db).await?;
    let all =
        |count: &jobs::Count| count.state == State::Completed && count.jobs.unsigned_abs() == jobs as u64;
    assert!(counts.len() == 1 && counts.iter().all(all), "{counts:?}");
    Ok((jobs as f64 / took, cpu * 1e6 / jobs as f64))
}

/// What any queue on this table must at least do: mark a batch as taken and read it, mark it as done.
async fn stripped(db: &DatabaseConnection, jobs: usize) -> Answer<f64> {
    const PICK: &str = "SELECT id FROM jobs WHERE queue = 'default' AND state = 'available' \
                        ORDER BY priority, scheduled_at, id LIMIT 500";
    let backend = db.get_database_backend();
    let (take, done) = match backend {
        DbBackend::Postgres => (
            format!(
                "WITH p AS MATERIALIZED ({PICK} FOR UPDATE SKIP LOCKED) UPDATE jobs SET state = 'executing', \
                 attempt = attempt + 1, lease_until = 0 FROM p WHERE jobs.id = p.id RETURNING jobs.id, jobs.worker, jobs.args"
            ),
            "UPDATE jobs SET state = 'completed', lease_until = NULL \
             WHERE id IN (SELECT value::bigint FROM json_array_elements_text($1::json) AS v(value))",
        ),
        _ => (
            format!(
                "UPDATE jobs SET state = 'executing', attempt = attempt + 1, lease_until = 0 WHERE id IN ({PICK}) \
                 RETURNING id, worker, args"
            ),
            "UPDATE jobs SET state = 'completed', lease_until = NULL WHERE id IN (SELECT value FROM json_each($1))",
        ),
    };
    let began = Instant::now();
    let mut completed = 0;
    let mut batch: Vec<i64> = Vec::new();
    loop {
        let taking = db.query_all_raw(Statement::from_string(backend, take.clone()));
        let ids = serde_json::json!(batch).to_string();
        let completing = db.execute_raw(Statement::from_sql_and_values(backend, done, [ids.into()]));
        let (taken, written) = futures::try_join!(taking, completing)?;
        completed += written.rows_affected();
        batch.clear();
        for row in taken {
            let (_worker, _args): (String, String) = (row.try_get_by_index(1)?, row.try_get_by_index(2)?);
            batch.push(row.try_get_by_index(0)?);
        }
        if completed >= jobs as u64 {
            return Ok(jobs as f64 / began.elapsed().as_secs_f64());
        }
    }
}

async fn fill(db: &DatabaseConnection, jobs: usize) -> Answer<()> {
    let batch: Vec<NewJob> = (0..1_000)
        .map(|n| NewJob::new("nothing", serde_json::json!({ "n": n, "text": "of usual length" })))
        .collect();
    let mut left = jobs;
    while left > 0 {
        let now = left.min(batch.len());
        enqueue_many(db, &batch[..now]).await?;
        left -= now;
    }
    db.execute_unprepared("ANALYZE jobs").await?;
    Ok(())
}

/// A fresh database.
struct Place {
    db: DatabaseConnection,
    admin: Option<(DatabaseConnection, String)>,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn new(backend: DbBackend) -> Answer<Self> {
        let folder = tempfile::tempdir()?;
        let mut admin = None;
        let url = if backend == DbBackend::Sqlite {
            format!("sqlite://{}?mode=rwc", folder.path().join("jobs.db").display())
        } else {
            let server = std::env::var("PULSE_TEST_PG")?;
            let name = format!("jobs_bench_{:08x}", rand::random::<u32>());
            let connection = Database::connect(quiet(&server, 1)).await?;
            connection.execute_unprepared(&format!("CREATE DATABASE {name}")).await?;
            admin = Some((connection, name.clone()));
            let (server, _) = server.rsplit_once('/').ok_or("PULSE_TEST_PG names no database")?;
            format!("{server}/{name}")
        };
        let connections = if backend == DbBackend::Sqlite { 1 } else { 4 };
        let db = Database::connect(quiet(&url, connections)).await?;
        if backend == DbBackend::Sqlite {
            let sync = std::env::var("BENCH_SYNC").unwrap_or_else(|_| "FULL".to_owned());
            let pragmas = format!("PRAGMA journal_mode = WAL; PRAGMA synchronous = {sync}");
            db.execute_unprepared(&pragmas).await?;
        }
        db.execute_unprepared(&schema::up(backend)).await?;
        Ok(Self { db, admin, _folder: folder })
    }

    async fn end(self) -> Answer<()> {
        self.db.close().await?;
        if let Some((admin, name)) = self.admin {
            admin.execute_unprepared(&format!("DROP DATABASE {name} WITH (FORCE)")).await?;
        }
        Ok(())
    }
}

fn quiet(url: &str, connections: u32) -> ConnectOptions {
    let mut options = ConnectOptions::new(url);
    options.max_connections(connections).sqlx_logging(false);
    options
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let ticks: f64 = after.split(' ').skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum();
    ticks / 100.0
}
