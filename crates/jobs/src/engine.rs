//! The engine: which queues and workers there are, starting, waking, draining.
//!
//! **Invariant.** What is taken is bounded a queue; what is taken at the time of a drain is run to its end, given
//! back, or, where a worker can't be stopped, left to its lease.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sea_orm::DbErr;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::attempt::attempt;
use crate::clock::{Clock, system_clock};
use crate::queue::QueueLoop;
use crate::stats::{Snapshot, Stats, add};
use crate::store::Store;
use crate::table;
use crate::worker::Worker;

/// Tells the engine of this process that there is work; call it after the commit. A call too many is harmless,
/// a missing one costs at most [`Options::poll`].
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Mutex<BTreeMap<String, Arc<Notify>>>>);

impl Wake {
    /// A handle that wakes nothing until an engine is started with it.
    pub fn new() -> Self {
        Self::default()
    }

    /// There is work in that queue.
    pub fn queue(&self, queue: &str) {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(queue).cloned();
        if let Some(notify) = known {
            notify.notify_one();
        }
    }

    /// There may be work anywhere.
    pub fn all(&self) {
        for notify in self.0.lock().unwrap_or_else(PoisonError::into_inner).values() {
            notify.notify_one();
        }
    }

    fn register(&self, queue: &str) -> Arc<Notify> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(queue.to_owned()).or_default())
    }
}

/// How an engine works. `Options::default()` is right for most.
#[derive(Clone)]
pub struct Options {
    /// This process's name in the table, for people; the engine adds a random part, so that a restarted process
    /// is another node.
    pub node: String,
    /// How often to look for work that nobody announced, for due retries and for lost leases.
    pub poll: Duration,
    /// A lease lasts as long as the slowest worker may take, and this much more.
    pub lease_slack: Duration,
    /// How many jobs of a queue are taken ahead at most, where they are short.
    pub batch: usize,
    /// For how long ended jobs are kept.
    pub keep: Duration,
    /// Which time it is.
    pub clock: Clock,
    /// Woken by whoever enqueues in this process.
    pub wake: Wake,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            node: "node".to_owned(),
            poll: Duration::from_secs(1),
            lease_slack: Duration::from_secs(30),
            batch: 500,
            keep: Duration::from_hours(24),
            clock: system_clock(),
            wake: Wake::new(),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options").field("node", &self.node).field("poll", &self.poll).finish_non_exhaustive()
    }
}

/// What the tasks of one engine share.
pub(crate) struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: Options,
    /// The unique name that fences this engine's acknowledgements.
    pub(crate) node: String,
    pub(crate) lease: Duration,
    pub(crate) workers: HashMap<&'static str, Arc<dyn Worker>>,
    pub(crate) stats: Arc<Stats>,
}

impl Core {
    /// The instant, and that of the lease of what is taken now.
    pub(crate) fn lease(&self) -> (i64, i64) {
        let now = (self.options.clock)();
        (now, now.saturating_add(i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX)))
    }
}

/// Queues and workers, not yet running.
///
/// ```no_run
/// # use futures::future::BoxFuture;
/// # use jobs::{Job, Outcome, Worker};
/// # struct Greet;
/// # impl Worker for Greet {
/// #     fn name(&self) -> &'static str { "greet" }
/// #     fn run(&self, _job: Job) -> BoxFuture<'_, Outcome> { Box::pin(async { Outcome::Done }) }
/// # }
/// # async fn example(db: sea_orm::DatabaseConnection) {
/// use std::{sync::Arc, time::Duration};
/// use jobs::{Engine, Options};
///
/// let engine = Engine::new(Arc::new(db), Options::default()).queue("default", 10).worker(Greet);
/// let running = engine.start();
/// running.wake().queue("default");
/// running.drain(Duration::from_secs(20)).await;
/// # }
/// ```
pub struct Engine {
    store: Arc<dyn Store>,
    options: Options,
    queues: BTreeMap<String, usize>,
    workers: HashMap<&'static str, Arc<dyn Worker>>,
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
            stats: Arc::new(Stats::default()),
        }
    }

    /// Serves a queue, up to `concurrency` jobs at a time (at least one).
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

    /// The counters; they live on after the engine.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.stats)
    }

    fn core(&self) -> Core {
        let slowest = self.workers.values().map(|worker| worker.timeout()).max().unwrap_or_default();
        // Only what is safe inside a JSON text goes into the name.
        let name: String =
            self.options.node.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.:@".contains(*c)).collect();
        Core {
            store: Arc::clone(&self.store),
            node: format!("{name}-{:08x}", rand::random::<u32>()),
            lease: slowest + self.options.lease_slack,
            workers: self.workers.clone(),
            stats: Arc::clone(&self.stats),
            options: self.options.clone(),
        }
    }

    /// Starts taking jobs. Needs a tokio runtime.
    pub fn start(self) -> Running {
        let core = Arc::new(self.core());
        let stop = CancellationToken::new();
        let kill = CancellationToken::new();
        let mut tasks = JoinSet::new();
        for (name, concurrency) in self.queues {
            let wake = core.options.wake.register(&name);
            let queue = QueueLoop::new(Arc::clone(&core), name, concurrency, wake);
            tasks.spawn(queue.run(stop.clone(), kill.clone()));
        }
        tasks.spawn(housekeeping(Arc::clone(&core), stop.clone()));
        Running { core, stop, kill, tasks }
    }

    /// Runs whatever is due, one after the other, until nothing is; answers how many attempts that were. For
    /// tests and tools: with a clock that the caller turns, nothing depends on real time.
    pub async fn run_due(&self) -> Result<usize, DbErr> {
        let core = self.core();
        let never = CancellationToken::new();
        let mut attempts = 0;
        loop {
            let (now, _) = core.lease();
            add(&core.stats.rescued, table::rescue(&*core.store, now).await?);
            table::stage(&*core.store, now).await?;
            let mut found = false;
            for queue in self.queues.keys() {
                let (now, lease_until) = core.lease();
                let jobs = table::take(&*core.store, queue, &core.node, 1, now, lease_until).await?;
                add(&core.stats.taken, jobs.len());
                for job in jobs {
                    found = true;
                    attempts += 1;
                    let acks = [attempt(&core, job, &never).await.ack];
                    let written = table::acknowledge(&*core.store, &core.node, &acks).await?;
                    add(&core.stats.lost, acks.len() - written);
                }
            }
            if !found {
                return Ok(attempts);
            }
        }
    }
}

/// How a drain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Everything ended or was given back within the time.
    pub clean: bool,
    /// The counters at the end.
    pub stats: Snapshot,
}

/// A started engine. Dropping it stops the tasks where they are; what ran is found again after its lease.
pub struct Running {
    core: Arc<Core>,
    stop: CancellationToken,
    kill: CancellationToken,
    tasks: JoinSet<()>,
}

/// How long a stopped worker may take to notice, and its acknowledgement to be written.
const AFTER_KILL: Duration = Duration::from_secs(2);

impl Running {
    /// Wakes queues.
    pub fn wake(&self) -> Wake {
        self.core.options.wake.clone()
    }

    /// The counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.core.stats)
    }

    /// Takes nothing more, gives back what has not begun, and waits up to `patience` for what runs; what then
    /// still runs is stopped where it awaits and is due again at once.
    pub async fn drain(mut self, patience: Duration) -> Drained {
        self.stop.cancel();
        let in_time = tokio::time::timeout(patience, ended(&mut self.tasks)).await.is_ok();
        let clean = in_time || {
            self.kill.cancel();
            tokio::time::timeout(AFTER_KILL, ended(&mut self.tasks)).await.is_ok()
        };
        if !clean {
            tracing::warn!("jobs did not stop in time; they will be repeated after their lease");
        }
        Drained { clean, stats: self.core.stats.snapshot() }
    }
}

async fn ended(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}

/// Stages what is due, rescues what was lost, prunes what is old.
async fn housekeeping(core: Arc<Core>, stop: CancellationToken) {
    /// Ticks between two prunings.
    const PRUNE_EVERY: u32 = 60;
    let mut ticks = 0_u32;
    loop {
        let store = &*core.store;
        let now = (core.options.clock)();
        let swept = async {
            let rescued = table::rescue(store, now).await?;
            add(&core.stats.rescued, rescued);
            let staged = table::stage(store, now).await?;
            if rescued + staged > 0 {
                core.options.wake.all();
            }
            let mut most = rescued.max(staged);
            if ticks.is_multiple_of(PRUNE_EVERY) {
                let kept = i64::try_from(core.options.keep.as_millis()).unwrap_or(i64::MAX);
                most = most.max(table::prune(store, now.saturating_sub(kept)).await?);
            }
            Ok::<_, DbErr>(most)
        };
        let more = match swept.await {
            Ok(most) => i64::try_from(most).is_ok_and(|most| most >= table::SWEEP),
            Err(error) => {
                add(&core.stats.store_errors, 1);
                tracing::warn!(%error, "the job table can't be swept; trying again");
                false
            }
        };
        if stop.is_cancelled() {
            return;
        }
        if more {
            continue;
        }
        ticks = ticks.wrapping_add(1);
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(core.options.poll) => {}
        }
    }
}
