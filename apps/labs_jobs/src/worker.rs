//! The shell: leases jobs, runs some at a time, acknowledges each.
//!
//! **Invariant.** Whatever an attempt does (succeeds, fails, panics, takes too long), its job is acknowledged or its lease
//! ends; a stop leases nothing more and waits for what runs.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::Result;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::job::{Acked, Failure, Job, Millis};
use crate::queue::{Effect, Queue};

/// What runs jobs.
pub trait Worker: Send + Sync + 'static {
    /// One attempt: what is to be written if it succeeded. It may happen more than once, so that nothing else may
    /// leave traces.
    fn run(&self, job: Job) -> impl Future<Output = std::result::Result<Effect, Failure>> + Send;
}

/// Now, as the queue counts it: on tokio's clock, which tests can stop.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    start: Millis,
    at: Instant,
}

impl Clock {
    /// Goes on from this moment.
    pub fn from(start: Millis) -> Self {
        Self { start, at: Instant::now() }
    }

    /// The time.
    pub fn now(&self) -> Millis {
        self.start.saturating_add(Millis::try_from(self.at.elapsed().as_millis()).unwrap_or(Millis::MAX))
    }
}

/// What a lease lasts beyond its attempt: time for the acknowledgement. Else a job that was stuck could be rescued before its
/// own worker has failed it, and would be back without a wait.
pub const GRACE: Millis = 2_000;

/// How to work.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Attempts at one time.
    pub side_by_side: usize,
    /// How long an attempt may take. One that takes longer is ended; until it has said so its job is leased, [`GRACE`]
    /// longer.
    pub lease: Millis,
    /// How long to wait at the most before looking again: for jobs that other processes bring.
    pub poll: Millis,
}

/// Asks a worker to stop. Clones are the same switch.
#[derive(Clone, Debug)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Lease nothing more, finish what runs, then end.
    pub fn ask(&self) {
        self.0.send_replace(true);
    }

    fn is_asked(&self) -> bool {
        *self.0.borrow()
    }

    async fn asked(&self) {
        // We hold the sender: there is no other end that could go away.
        _ = self.0.subscribe().wait_for(|asked| *asked).await;
    }
}

/// The queue as tasks share it. SQLite blocks, and a blocked runtime would stand still: its calls have threads of
/// their own.
#[derive(Clone, Debug)]
struct Shared(Arc<Mutex<Queue>>);

impl Shared {
    async fn with<T: Send + 'static>(
        &self,
        act: impl FnOnce(&mut Queue) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        let queue = Arc::clone(&self.0);
        let call = move || act(&mut queue.lock().unwrap_or_else(PoisonError::into_inner));
        match tokio::task::spawn_blocking(call).await {
            Ok(done) => done,
            Err(lost) => std::panic::resume_unwind(lost.into_panic()),
        }
    }
}

/// Works until `stop` is asked. An error of the database ends it: what it has leased is rescued.
pub async fn work<W: Worker>(
    queue: Arc<Mutex<Queue>>,
    worker: Arc<W>,
    settings: Settings,
    clock: Clock,
    stop: Stop,
) -> Result<()> {
    let queue = Shared(queue);
    let mut running = JoinSet::new();
    loop {
        let free = settings.side_by_side.max(1) - running.len();
        if !stop.is_asked() && free > 0 {
            let now = clock.now();
            let look = move |queue: &mut Queue| {
                queue.rescue(now)?;
                queue.lease(now, settings.lease.saturating_add(GRACE), free)
            };
            for job in queue.with(look).await? {
                let (queue, worker) = (queue.clone(), Arc::clone(&worker));
                running.spawn(async move { attempt(&queue, worker, job, settings, clock).await });
            }
        }
        if stop.is_asked() && running.is_empty() {
            return Ok(());
        }
        // With no hand free there is nothing to look for until one is.
        let looks_again = !stop.is_asked() && running.len() < settings.side_by_side.max(1);
        let due = if looks_again { queue.with(|queue| queue.next_due()).await? } else { None };
        let wait = due.map_or(settings.poll, |due| (due - clock.now()).clamp(1, settings.poll.max(1)));
        tokio::select! {
            Some(ended) = running.join_next() => match ended {
                Ok(acked) => _ = acked?,
                Err(lost) => std::panic::resume_unwind(lost.into_panic()),
            },
            () = sleep(millis(wait)), if looks_again => {}
            () = stop.asked(), if !stop.is_asked() => {}
        }
    }
}

fn millis(wait: Millis) -> Duration {
    Duration::from_millis(u64::try_from(wait).unwrap_or(0))
}

/// One attempt, and its acknowledgement.
async fn attempt<W: Worker>(
    queue: &Shared,
    worker: Arc<W>,
    job: Job,
    settings: Settings,
    clock: Clock,
) -> Result<Acked> {
    let jitter = rand::random::<f64>();
    //>> attempt
    //? In which five ways can an attempt end? Who hears of each?
    //? The lease is ten seconds. What becomes of an attempt that is still running in the eleventh?
    let mut task = tokio::spawn({
        let job = job.clone();
        async move { worker.run(job).await }
    });
    let ended = if let Ok(joined) = timeout(millis(settings.lease), &mut task).await {
        joined.unwrap_or_else(|lost| Err(Failure::from(lost)))
    } else {
        task.abort();
        Err(Failure("took longer than its lease".to_owned()))
    };
    let acked = match ended {
        Ok(effect) => {
            let done = job.clone();
            let acked = queue.with(move |queue| queue.complete(&done, effect)).await;
            acked.map_err(|error| Failure(format!("what it writes was refused: {error}")))
        }
        Err(reason) => Err(reason),
    };
    match acked {
        Ok(acked) => Ok(acked),
        Err(reason) => {
            let now = clock.now();
            queue.with(move |queue| queue.fail(now, &job, &reason, jitter)).await
        }
    }
    //<<
}
