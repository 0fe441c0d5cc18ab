//! Workers and small steps that the tests share.
//!
//! **Invariant.** A wait is for something that becomes so, with a limit that no working machine reaches.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::future::BoxFuture;
use jobs::{Backoff, Engine, Enqueued, Job, JobId, NewJob, Options, Outcome, Stored, Worker, enqueue, find};
use sea_orm::DatabaseConnection;
use tokio::sync::Semaphore;

/// Answers the same each time, and counts.
pub(crate) struct Always {
    name: &'static str,
    outcome: Outcome,
    runs: Arc<AtomicUsize>,
}

impl Always {
    pub(crate) fn new(name: &'static str, outcome: Outcome) -> Self {
        Self { name, outcome, runs: Arc::default() }
    }
}

impl Worker for Always {
    fn name(&self) -> &'static str {
        self.name
    }

    fn run(&self, _job: Job) -> BoxFuture<'_, Outcome> {
        self.runs.fetch_add(1, Ordering::SeqCst);
        let outcome = self.outcome.clone();
        Box::pin(async move { outcome })
    }

    fn backoff(&self, failures: u32, _jitter: f64) -> Duration {
        Backoff::DEFAULT.delay(failures, 1.0)
    }
}

/// Says when it begins and ends when it is let.
#[derive(Clone)]
pub(crate) struct Gated {
    pub(crate) begun: Arc<Semaphore>,
    pub(crate) gate: Arc<Semaphore>,
}

impl Gated {
    pub(crate) fn new() -> Self {
        Self { begun: Arc::new(Semaphore::new(0)), gate: Arc::new(Semaphore::new(0)) }
    }

    pub(crate) async fn begun(&self) {
        self.begun.acquire().await.unwrap().forget();
    }
}

impl Worker for Gated {
    fn name(&self) -> &'static str {
        "gated"
    }

    fn run(&self, _job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async {
            self.begun.add_permits(1);
            self.gate.acquire().await.unwrap().forget();
            Outcome::Done
        })
    }
}

pub(crate) async fn one(db: &DatabaseConnection, job: NewJob) -> JobId {
    match enqueue(db, &job).await.unwrap() {
        Enqueued::New(id) => id,
        other => panic!("{other:?}"),
    }
}

pub(crate) async fn row(db: &DatabaseConnection, id: JobId) -> Stored {
    find(db, id).await.unwrap().unwrap()
}

pub(crate) fn engine(db: &DatabaseConnection, options: Options) -> Engine {
    Engine::new(Arc::new(db.clone()), options).queue("default", 2)
}

#[derive(Default)]
pub(crate) struct Meter {
    now: AtomicUsize,
    pub(crate) most: AtomicUsize,
    pub(crate) seen: Mutex<BTreeMap<i64, usize>>,
}

/// Counts how many of its kind run at once, and how often each job ran.
pub(crate) struct Metered(pub(crate) Arc<Meter>);

impl Worker for Metered {
    fn name(&self) -> &'static str {
        "metered"
    }

    fn run(&self, job: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            let now = self.0.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.0.most.fetch_max(now, Ordering::SeqCst);
            tokio::task::yield_now().await;
            *self.0.seen.lock().unwrap().entry(job.id.0).or_default() += 1;
            self.0.now.fetch_sub(1, Ordering::SeqCst);
            Outcome::Done
        })
    }
}

pub(crate) async fn wait_until<F: Future<Output = bool>>(check: impl Fn() -> F) {
    let checked = async {
        while !check().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(Duration::from_mins(1), checked).await.expect("it never became so");
}
