//! For tests of what enqueues and of workers: no engine runs, nothing waits for real time.
//!
//! **Invariant.** These helpers use what the engine itself uses; a drained queue has gone through the same statements.
//!
//! ```
//! # use futures::future::BoxFuture;
//! # use jobs::{Job, Outcome, Worker};
//! # struct Greet;
//! # impl Worker for Greet {
//! #     fn name(&self) -> &'static str { "greet" }
//! #     fn run(&self, _job: Job) -> BoxFuture<'_, Outcome> { Box::pin(async { Outcome::Done }) }
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! use std::sync::Arc;
//! use jobs::testing::{Match, TestClock, assert_enqueued, drain, perform, refute_enqueued};
//! use jobs::{Engine, NewJob, enqueue, schema};
//! use sea_orm::ConnectionTrait as _;
//! use serde_json::json;
//!
//! // A worker by itself.
//! assert_eq!(perform(&Greet, NewJob::new("greet", json!("ann"))).await, Outcome::Done);
//!
//! // What the code under test has enqueued.
//! let mut options = sea_orm::ConnectOptions::new("sqlite::memory:");
//! options.max_connections(1);
//! let db = sea_orm::Database::connect(options).await.unwrap();
//! db.execute_unprepared(&schema::up(sea_orm::DbBackend::Sqlite)).await.unwrap();
//! enqueue(&db, &NewJob::new("greet", json!({ "name": "ann", "loud": true }))).await.unwrap();
//! assert_enqueued(&db, &Match::worker("greet").args(json!({ "name": "ann" }))).await;
//! refute_enqueued(&db, &Match::worker("greet").args(json!({ "name": "bob" }))).await;
//!
//! // And what comes of it.
//! let clock = TestClock::new();
//! let engine = Engine::new(Arc::new(db), clock.options()).queue("default", 1).worker(Greet);
//! assert_eq!(drain(&engine, "default").await.completed, 1);
//! # });
//! ```

#![expect(clippy::panic, reason = "a test kit: to panic is to fail the test")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sea_orm::{ConnectionTrait, DbErr};
use serde_json::Value;

use crate::clock::{Clock, system_now};
use crate::core::millis;
use crate::engine::Engine;
use crate::inline;
pub use crate::inline::Ran;
use crate::inspect::{Filter, MAX_PAGE, Stored, list};
use crate::job::{Job, JobId, Outcome};
use crate::new_job::NewJob;
use crate::options::Options;
use crate::state::State;
use crate::worker::Worker;

/// A clock that only the test turns. It starts ten minutes ahead of the machine's, so that all that the test enqueues
/// counts as due.
#[derive(Debug, Clone)]
pub struct TestClock(Arc<AtomicI64>);

impl TestClock {
    /// A clock.
    #[expect(clippy::new_without_default, reason = "each differs: it reads the machine's clock")]
    pub fn new() -> Self {
        Self(Arc::new(AtomicI64::new(system_now() + 600_000)))
    }

    /// The instant, in milliseconds since 1970.
    pub fn now(&self) -> i64 {
        self.0.load(Ordering::SeqCst)
    }

    /// Lets time pass.
    pub fn turn(&self, by: Duration) {
        self.0.fetch_add(millis(by), Ordering::SeqCst);
    }

    /// As an engine wants it.
    pub fn clock(&self) -> Clock {
        let clock = self.clone();
        Arc::new(move || clock.now())
    }

    /// Options whose time is this clock's.
    pub fn options(&self) -> Options {
        Options { clock: self.clock(), poll: Duration::from_millis(20), ..Options::default() }
    }
}

/// A new job as its worker would get it at the first attempt.
pub fn job(new: NewJob) -> Job {
    Job {
        id: JobId(1),
        queue: new.queue,
        worker: new.worker,
        args: new.args.to_string(),
        meta: new.meta.to_string(),
        priority: new.priority,
        attempt: 1,
        max_attempts: new.max_attempts,
        failures: 0,
        scheduled_at: new.at.unwrap_or_else(system_now),
    }
}

/// Lets a worker run a job once, in no table, under its own timeout (which counts as [`Outcome::Retry`]). A panic is the test's.
pub async fn perform(worker: &dyn Worker, new: NewJob) -> Outcome {
    let timeout = worker.timeout();
    let run = tokio::time::timeout(timeout, worker.run(job(new))).await;
    run.unwrap_or_else(|_| Outcome::Retry(format!("the worker took longer than {timeout:?}")))
}

/// Runs what is due in one queue, one job after the other, until nothing is; whether the engine serves it or not.
///
/// # Panics
///
/// Where the database fails.
pub async fn drain(engine: &Engine, queue: &str) -> Ran {
    inline::run_due(&engine.core(), &[queue])
        .await
        .unwrap_or_else(|error| panic!("the queue is not drained: {error}"))
}

/// Which jobs a test means.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    worker: String,
    queue: Option<String>,
    args: Value,
    states: Vec<State>,
}

impl Match {
    /// Jobs of this worker that wait or run.
    pub fn worker(name: impl Into<String>) -> Self {
        Self { worker: name.into(), queue: None, args: Value::Null, states: State::LIVE.to_vec() }
    }

    /// Only those whose arguments contain this: objects may have more keys than are named here, everything else is equal.
    #[must_use]
    pub fn args(mut self, args: Value) -> Self {
        self.args = args;
        self
    }

    /// Only those of this queue.
    #[must_use]
    pub fn queue(mut self, queue: impl Into<String>) -> Self {
        self.queue = Some(queue.into());
        self
    }

    /// Those that stand in one of these instead.
    #[must_use]
    pub fn in_states(mut self, states: &[State]) -> Self {
        self.states = states.to_vec();
        self
    }

    fn matches(&self, job: &Stored) -> bool {
        let args = || serde_json::from_str(&job.args).unwrap_or(Value::Null);
        self.states.contains(&job.state) && (self.args.is_null() || contains(&args(), &self.args))
    }
}

fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        (whole, part) => whole == part,
    }
}

/// The jobs that match, newest first.
pub async fn all_enqueued<C: ConnectionTrait>(conn: &C, wanted: &Match) -> Result<Vec<Stored>, DbErr> {
    let filter =
        Filter { worker: Some(wanted.worker.clone()), queue: wanted.queue.clone(), ..Filter::default() };
    let mut found = Vec::new();
    let mut before = None;
    loop {
        let page = list(conn, &filter, before, MAX_PAGE).await?;
        found.extend(page.jobs.into_iter().filter(|job| wanted.matches(job)));
        before = page.next;
        if before.is_none() {
            return Ok(found);
        }
    }
}

/// There is at least one such job; answers the newest.
///
/// # Panics
///
/// Where there is none; the message names what is there instead.
pub async fn assert_enqueued<C: ConnectionTrait>(conn: &C, wanted: &Match) -> Stored {
    let found =
        all_enqueued(conn, wanted).await.unwrap_or_else(|error| panic!("jobs can't be read: {error}"));
    match found.into_iter().next() {
        Some(job) => job,
        None => panic!("no job matches {wanted:?}; there are:\n{}", present(conn).await),
    }
}

/// There is no such job.
///
/// # Panics
///
/// Where there is one.
pub async fn refute_enqueued<C: ConnectionTrait>(conn: &C, unwanted: &Match) {
    let found = all_enqueued(conn, unwanted).await;
    let found = found.unwrap_or_else(|error| panic!("jobs can't be read: {error}"));
    assert!(found.is_empty(), "a job matches {unwanted:?}: {found:?}");
}

async fn present<C: ConnectionTrait>(conn: &C) -> String {
    let page = list(conn, &Filter::default(), None, 20).await;
    let lines = page.map(|page| {
        let line = |job: Stored| format!("{} {} {:?} {}", job.queue, job.worker, job.state, job.args);
        page.jobs.into_iter().map(line).collect::<Vec<_>>().join("\n")
    });
    lines.unwrap_or_else(|error| error.to_string())
}
