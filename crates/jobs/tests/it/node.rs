//! A process that runs jobs, for tests that kill it: this test binary, started again.
//!
//! **Invariant.** A node ends with its test, also when that one is killed: its standard input closes.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use jobs::{Cron, Engine, Job, NewJob, Options, Outcome, Unique, Worker, enqueue, system_clock};
use sea_orm::sqlx::postgres::PgConnection;
use sea_orm::sqlx::{Connection as _, Row as _};
use sea_orm::{
    ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr, Statement,
    TransactionTrait,
};
use serde_json::json;

/// Where the child finds its database; without it, it is no child.
const URL: &str = "JOBS_TEST_NODE_URL";
const NAME: &str = "JOBS_TEST_NODE_NAME";
const LEASE: &str = "JOBS_TEST_NODE_LEASE";

/// A running node.
pub(crate) struct Node(Child);

impl Node {
    pub(crate) fn start(url: &str, name: &str, lease: Duration) -> Self {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "node::child", "--nocapture"])
            .env(URL, url)
            .env(NAME, name)
            .env(LEASE, lease.as_millis().to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }

    /// kill -9.
    pub(crate) fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What the node's workers write to.
pub(crate) const TABLES: &str = "
    CREATE TABLE runs (job BIGINT NOT NULL, node TEXT NOT NULL, PRIMARY KEY (job, node));
    CREATE TABLE doubles (job BIGINT NOT NULL);
    CREATE TABLE effects (name TEXT NOT NULL PRIMARY KEY);";

/// A connection as a node has it.
pub(crate) async fn connect(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    let sqlite = url.starts_with("sqlite");
    options.max_connections(if sqlite { 1 } else { 4 }).sqlx_logging(false);
    let db = Database::connect(options).await.unwrap();
    if sqlite {
        let pragmas = "PRAGMA busy_timeout = 20000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL";
        db.execute_unprepared(pragmas).await.unwrap();
    }
    db
}

/// The child's whole life; in an ordinary run of the tests it has nothing to do.
#[test]
fn child() {
    let Ok(url) = std::env::var(URL) else { return };
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(serve(&url));
}

async fn serve(url: &str) {
    let node = std::env::var(NAME).unwrap();
    let lease = std::env::var(LEASE).unwrap().parse().unwrap();
    let db = connect(url).await;
    let options = Options { node: node.clone(), lease: Duration::from_millis(lease), ..Options::default() };
    let mut engine =
        Engine::new(Arc::new(db.clone()), options).queue("default", 4).worker(Chain(db.clone())).worker(Hold);
    if db.get_database_backend() == DbBackend::Postgres {
        let beat = NewJob::new("alone", json!({ "ms": 0 }));
        engine = engine
            .worker(Alone { db, url: url.to_owned(), node })
            .cron(Cron::new("beat", "* * * * * *", "UTC", beat).unwrap());
    }
    let _running = engine.start();
    std::future::pending::<()>().await;
}

/// Notes when it runs, and when it runs twice at once: a lock of its session, which ends with its process.
struct Alone {
    db: DatabaseConnection,
    url: String,
    node: String,
}

impl Alone {
    async fn work(&self, job: &Job) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let mut session = PgConnection::connect(&self.url).await?;
        let sql = "SELECT pg_try_advisory_lock($1)";
        let row = sea_orm::sqlx::query(sql).bind(job.id.0).fetch_one(&mut session).await?;
        if !row.try_get::<bool, _>(0)? {
            self.db.execute_unprepared(&format!("INSERT INTO doubles VALUES ({})", job.id)).await?;
        }
        let note = format!("INSERT INTO runs VALUES ({}, '{}-{}')", job.id, self.node, job.attempt);
        self.db.execute_unprepared(&note).await?;
        let ms = job.args::<serde_json::Value>()?["ms"].as_u64().unwrap_or_default();
        tokio::time::sleep(Duration::from_millis(ms)).await;
        session.close().await?;
        Ok(())
    }
}

impl Worker for Alone {
    fn name(&self) -> &'static str {
        "alone"
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.work(&job).await.map_or_else(Outcome::retry, |()| Outcome::Done) })
    }
}

/// Runs for ever until an attempt of it was lost with its node, and then ends. The number of the attempt says less: being
/// handed back unbegun counts one too.
struct Hold;

impl Worker for Hold {
    fn name(&self) -> &'static str {
        "hold"
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            if job.failures == 0 {
                std::future::pending::<()>().await;
            }
            Outcome::Done
        })
    }

    fn timeout(&self) -> Duration {
        Duration::from_hours(1)
    }
}

/// An effect, noted under its key, and the next link's job, in one transaction.
struct Chain(DatabaseConnection);

/// So many links has a chain.
pub(crate) const LINKS: i64 = 4;

impl Chain {
    async fn work(&self, job: &Job) -> Result<(), DbErr> {
        let (chain, link): (String, i64) =
            serde_json::from_str(&job.args).map_err(|e| DbErr::Json(e.to_string()))?;
        let tx = self.0.begin().await?;
        let sql = "INSERT INTO effects (name) VALUES ($1) ON CONFLICT DO NOTHING";
        let name = format!("{chain}/{link}");
        let effect = Statement::from_sql_and_values(tx.get_database_backend(), sql, [name.into()]);
        // An attempt that died after its commit and before its acknowledgement has done it all.
        if tx.execute_raw(effect).await?.rows_affected() == 1 && link < LINKS {
            let next = NewJob::new("chain", json!([chain, link + 1]));
            let ever = Unique::job().in_states(&jobs::State::ALL);
            enqueue(&tx, &next.unique(ever)).await?;
        }
        tx.commit().await
    }
}

impl Worker for Chain {
    fn name(&self) -> &'static str {
        "chain"
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move { self.work(&job).await.map_or_else(Outcome::retry, |()| Outcome::Done) })
    }
}

/// The instant by the clock that nodes use.
pub(crate) fn now() -> i64 {
    system_clock()()
}
