//! The gate's own desk: a queue with a table of effects beside it, and a worker that does as its jobs say.
//!
//! **Invariant.** An effect is a row that names its job: two rows of one job are two effects.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use labs_jobs::rusqlite::{Connection, Result};
use labs_jobs::{
    Acked, Backoff, Clock, Effect, Enqueued, Failure, Job, JobId, Millis, NewJob, Queue, Settings, Stop,
    Worker, work,
};
use tokio::time::sleep;

/// A second, up to a minute.
pub(crate) const BACKOFF: Backoff = Backoff { first: 1000, most: 60_000 };
/// How long jobs are leased here.
pub(crate) const LEASE: Millis = 10_000;
/// Two at a time, leased for ten seconds.
pub(crate) const SETTINGS: Settings = Settings { side_by_side: 2, lease: LEASE, poll: 1000 };

/// The table of effects.
pub(crate) fn with_effects(mut queue: Queue) -> Queue {
    let table = "CREATE TABLE IF NOT EXISTS effects (job INTEGER NOT NULL, text TEXT NOT NULL CHECK (text <> 'refused'))";
    queue.connection().execute_batch(table).unwrap();
    queue
}

/// A queue in memory, with its effects.
pub(crate) fn in_memory() -> Queue {
    with_effects(Queue::in_memory(BACKOFF).unwrap())
}

/// One row.
pub(crate) fn effect(job: JobId, text: &str) -> Effect {
    let text = text.to_owned();
    Box::new(move |db: &Connection| {
        db.execute("INSERT INTO effects (job, text) VALUES (?, ?)", (job.0, text)).map(drop)
    })
}

/// How many effects each job has had.
pub(crate) fn effects(queue: &mut Queue) -> BTreeMap<i64, usize> {
    let mut statement = queue.connection().prepare("SELECT job, count(*) FROM effects GROUP BY job").unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get::<_, u32>(1)? as usize))).unwrap();
    rows.collect::<Result<_>>().unwrap()
}

/// Brings a job outside of any transaction.
pub(crate) fn bring(queue: &mut Queue, job: &NewJob) -> Enqueued {
    Queue::enqueue(queue.connection(), job).unwrap()
}

/// Brings a job that is new.
pub(crate) fn new(queue: &mut Queue, job: &NewJob) -> JobId {
    match bring(queue, job) {
        Enqueued::New(id) => id,
        Enqueued::Duplicate(id) => panic!("{id:?} is no duplicate: {job:?}"),
    }
}

/// Leases one job.
pub(crate) fn take(queue: &mut Queue, now: Millis) -> Option<Job> {
    queue.lease(now, LEASE, 1).unwrap().pop()
}

/// Does what a job's kind says, and notes each attempt with its time.
#[derive(Debug)]
pub(crate) struct Hand {
    clock: Clock,
    attempts: Mutex<Vec<(i64, Millis)>>,
    /// Attempts that have begun and not ended.
    pub(crate) under_way: gate::Gauge,
}

/// Says that an attempt has ended, however it did.
struct Ends(gate::Gauge);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.leave();
    }
}

impl Hand {
    /// When a job was attempted.
    pub(crate) fn attempts_of(&self, id: JobId) -> Vec<Millis> {
        let attempts = self.attempts.lock().unwrap_or_else(PoisonError::into_inner);
        attempts.iter().filter(|(job, _)| *job == id.0).map(|(_, at)| *at).collect()
    }
}

impl Worker for Hand {
    async fn run(&self, job: Job) -> std::result::Result<Effect, Failure> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner).push((job.id.0, self.clock.now()));
        self.under_way.enter();
        let _ends = Ends(self.under_way.clone());
        match job.kind.as_str() {
            "fails" => return Err(Failure("the gateway says no".to_owned())),
            "recovers" if job.attempt < 3 => return Err(Failure("not yet".to_owned())),
            "panics" => panic!("poison"),
            "slow" => sleep(Duration::from_secs(3)).await,
            "stuck" => std::future::pending().await,
            _ => {}
        }
        Ok(effect(job.id, &job.args))
    }
}

/// A worker at its desk.
#[derive(Debug)]
pub(crate) struct Desk {
    pub(crate) queue: Arc<Mutex<Queue>>,
    pub(crate) hand: Arc<Hand>,
    pub(crate) stop: Stop,
    clock: Clock,
}

impl Desk {
    /// With these jobs; the time is zero.
    pub(crate) fn with(jobs: &[NewJob]) -> (Self, Vec<JobId>) {
        let mut queue = in_memory();
        let ids = jobs.iter().map(|job| new(&mut queue, job)).collect();
        let clock = Clock::from(0);
        let hand = Arc::new(Hand { clock, attempts: Mutex::default(), under_way: gate::Gauge::default() });
        (Self { queue: Arc::new(Mutex::new(queue)), hand, stop: Stop::default(), clock }, ids)
    }

    /// Works for so long, then stops and drains.
    pub(crate) async fn work_for(&self, time: Duration) {
        let working =
            work(Arc::clone(&self.queue), Arc::clone(&self.hand), SETTINGS, self.clock, self.stop.clone());
        let stopping = async {
            sleep(time).await;
            self.stop.ask();
        };
        tokio::join!(working, stopping).0.unwrap();
    }

    /// The queue, between two turns of the worker.
    pub(crate) fn queue(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Completes a job with an effect of its own.
pub(crate) fn complete(queue: &mut Queue, job: &Job) -> Acked {
    queue.complete(job, effect(job.id, "done")).unwrap()
}
