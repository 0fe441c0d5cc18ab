//! One attempt at one job, from its worker's call to the change that its row gets.
//!
//! **Invariant.** Whatever the worker does (end, panic, hang until its timeout, be stopped), there is exactly one
//! acknowledgement, but for a job that has been lost: that one is no longer ours to write.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::core::Core;
use crate::held::Recall;
use crate::job::{Job, JobId, Outcome};
use crate::observe::{Event, Stopped};
use crate::settle::{Ack, hand_back, settle};
use crate::stats::add;

/// An attempt's end.
pub(crate) struct Attempted {
    /// The job and its attempt.
    pub(crate) of: (JobId, u32),
    pub(crate) ack: Option<Ack>,
    pub(crate) took: Duration,
}

/// Runs a job's worker. `kill` stops every attempt where it awaits, `recall` this one.
pub(crate) async fn attempt(core: &Core, job: Job, kill: &CancellationToken, recall: &Recall) -> Attempted {
    let span = tracing::info_span!(
        "job",
        id = job.id.0,
        worker = job.worker,
        queue = job.queue,
        attempt = job.attempt,
        trace_id = tracing::field::Empty,
    );
    if !span.is_disabled()
        && let Some(trace) = job.trace_id()
    {
        span.record("trace_id", trace);
    }
    let running = AssertUnwindSafe(run(core, &job, kill, recall).instrument(span)).catch_unwind();
    running.await.unwrap_or_else(|panic| {
        // Not in the worker's `run`, which is caught closer by: in its back-off or timeout, or in an observer.
        add(&core.stats.panics, 1);
        let why = format!("panicked around the attempt: {}", panic_text(&*panic));
        let delay = crate::Backoff::DEFAULT.delay(job.failures + 1, rand::random());
        let ack = settle(&job, Outcome::Retry(why), (core.options.clock)(), delay);
        Attempted { of: (job.id, job.attempt), ack: Some(ack), took: Duration::ZERO }
    })
}

/// Counts an attempt as running for as long as it lives.
struct Running<'a>(&'a AtomicI64);

impl<'a> Running<'a> {
    fn new(gauge: &'a AtomicI64) -> Self {
        gauge.fetch_add(1, Ordering::Relaxed);
        Self(gauge)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

async fn run(core: &Core, job: &Job, kill: &CancellationToken, recall: &Recall) -> Attempted {
    let began = Instant::now();
    let now = (core.options.clock)();
    let waited = Duration::from_millis(u64::try_from(now.saturating_sub(job.scheduled_at)).unwrap_or(0));
    core.tell(&Event::Began { job, waited });
    let running = Running::new(&core.stats.running);
    let ended = tokio::select! {
        // A worker that ended in the same moment has ended.
        biased;
        ended = work(core, job) => Ok(ended),
        why = recall.called() => Err(why),
        () = kill.cancelled() => Err(Stopped::Drained),
    };
    drop(running);
    let of = (job.id, job.attempt);
    let took = began.elapsed();
    let (outcome, delay) = match ended {
        Ok(ended) => ended,
        Err(why) => {
            add(&core.stats.stopped, 1);
            core.tell(&Event::Stopped { job, why });
            tracing::info!(?why, "an attempt was stopped");
            let ack = (why != Stopped::Lost).then(|| hand_back(job));
            return Attempted { of, ack, took };
        }
    };
    let counter = match &outcome {
        Outcome::Done => &core.stats.done,
        Outcome::Cancel(_) => &core.stats.cancelled,
        Outcome::Snooze(_) => &core.stats.snoozed,
        Outcome::Retry(_) | Outcome::RetryAfter(..) if job.is_last_attempt() => &core.stats.discarded,
        Outcome::Retry(_) | Outcome::RetryAfter(..) => &core.stats.retried,
    };
    add(counter, 1);
    if let Outcome::Retry(why) | Outcome::RetryAfter(why, _) | Outcome::Cancel(why) = &outcome {
        tracing::warn!(job = job.id.0, worker = job.worker, attempt = job.attempt, why, "job failed");
    }
    core.tell(&Event::Ended { job, outcome: &outcome, took });
    Attempted { of, ack: Some(settle(job, outcome, (core.options.clock)(), delay)), took }
}

/// What the worker says, or what is said for it, and the back-off of a retry.
async fn work(core: &Core, job: &Job) -> (Outcome, Duration) {
    let Some(worker) = core.workers.get(job.worker.as_str()) else {
        // Another version of the program may know it: wait, don't give up.
        let why = format!("no worker named {} runs here", job.worker);
        return (Outcome::Retry(why), crate::Backoff::DEFAULT.delay(job.failures + 1, rand::random()));
    };
    let timeout = worker.timeout();
    let call = AssertUnwindSafe(async { worker.run(job.clone()).await }).catch_unwind();
    let outcome = match tokio::time::timeout(timeout, call).await {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(panic)) => {
            add(&core.stats.panics, 1);
            Outcome::Retry(format!("the worker panicked: {}", panic_text(&*panic)))
        }
        Err(_) => {
            add(&core.stats.timeouts, 1);
            Outcome::Retry(format!("the worker took longer than {timeout:?}"))
        }
    };
    let delay = match outcome {
        Outcome::Retry(_) => worker.backoff(job.failures + 1, rand::random()),
        Outcome::RetryAfter(_, asked) => worker.backoff(job.failures + 1, rand::random()).max(asked),
        _ => Duration::ZERO,
    };
    (outcome, delay)
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
