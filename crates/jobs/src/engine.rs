//! The engine before it runs: which queues, workers and cron entries there are.
//!
//! **Invariant.** An engine is data until [`Engine::start`]; two engines in one process share nothing that they were
//! not both given.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use sea_orm::DbErr;

use crate::core::Core;
use crate::cron::Cron;
use crate::inline;
use crate::observe::Observer;
use crate::options::Options;
use crate::running::Running;
use crate::stats::Stats;
use crate::store::{Limited, Store};
use crate::worker::Worker;

/// Queues, workers and cron entries, not yet running.
///
/// ```no_run
/// # use futures::future::BoxFuture;
/// # use jobs::{Job, Outcome, Worker};
/// # struct Greet;
/// # impl Worker for Greet {
/// #     fn name(&self) -> &'static str { "greet" }
/// #     fn run(&self, _job: Job) -> BoxFuture<'_, Outcome> { Box::pin(async { Outcome::Done }) }
/// # }
/// # async fn example(db: sea_orm::DatabaseConnection) -> Result<(), jobs::BadCron> {
/// use std::{sync::Arc, time::Duration};
/// use jobs::{Cron, Engine, NewJob, Options};
///
/// let morning = NewJob::new("greet", serde_json::json!({}));
/// let engine = Engine::new(Arc::new(db), Options::default())
///     .queue("default", 10)
///     .worker(Greet)
///     .cron(Cron::new("greet-all", "30 8 * * MON-FRI", "Europe/London", morning)?);
/// let running = engine.start();
/// running.wake().queue("default");
/// running.drain(Duration::from_secs(20)).await;
/// # Ok(())
/// # }
/// ```
pub struct Engine {
    store: Arc<dyn Store>,
    options: Options,
    queues: BTreeMap<String, usize>,
    workers: HashMap<&'static str, Arc<dyn Worker>>,
    crons: Vec<Cron>,
    observers: Vec<Arc<dyn Observer>>,
    stats: Arc<Stats>,
}

impl Engine {
    /// An engine without queues.
    pub fn new(store: Arc<dyn Store>, options: Options) -> Self {
        Self {
            store,
            options,
            queues: BTreeMap::new(),
            workers: HashMap::new(),
            crons: Vec::new(),
            observers: Vec::new(),
            stats: Arc::new(Stats::default()),
        }
    }

    /// Serves a queue, up to `concurrency` jobs at a time on this node (at least one), unless the queue's row says
    /// otherwise: see [`queues`](crate::queues).
    #[must_use]
    pub fn queue(mut self, name: impl Into<String>, concurrency: usize) -> Self {
        self.queues.insert(name.into(), concurrency.max(1));
        self
    }

    /// Knows a worker. Any queue may carry its jobs.
    #[must_use]
    pub fn worker(mut self, worker: impl Worker) -> Self {
        self.workers.insert(worker.name(), Arc::new(worker));
        self
    }

    /// Enqueues a job at each tick of an entry, once whatever the number of nodes; all of them must have the same entries.
    /// A second entry of the same name takes the place of the first.
    #[must_use]
    pub fn cron(mut self, entry: Cron) -> Self {
        self.crons.retain(|known| known.name() != entry.name());
        self.crons.push(entry);
        self
    }

    /// Tells an observer what happens.
    #[must_use]
    pub fn observe(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers.push(observer);
        self
    }

    /// The counters; they live on after the engine.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    /// The queues that it serves.
    pub fn queues(&self) -> impl Iterator<Item = &str> {
        self.queues.keys().map(String::as_str)
    }

    pub(crate) fn core(&self) -> Core {
        Core::new(
            Arc::new(Limited(Arc::clone(&self.store))),
            self.options.clone(),
            self.workers.clone(),
            self.crons.clone(),
            self.observers.clone(),
            Arc::clone(&self.stats),
            self.queues.keys().cloned(),
        )
    }

    /// Starts taking jobs. Needs a tokio runtime.
    pub fn start(self) -> Running {
        Running::start(self.core(), self.queues)
    }

    /// Runs whatever is due in the engine's queues, one after the other, until nothing is; answers how many attempts that
    /// were. Ticks of cron entries are not fired. For tests and tools: with a clock that the caller turns, nothing depends on real time.
    pub async fn run_due(&self) -> Result<usize, DbErr> {
        let queues: Vec<&str> = self.queues().collect();
        Ok(inline::run_due(&self.core(), &queues).await?.attempts)
    }
}
