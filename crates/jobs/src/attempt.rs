//! One attempt at one job, from its worker's call to the change that its row gets.
//!
//! **Invariant.** Whatever the worker does (end, panic, hang until its timeout, be stopped), there is exactly one
//! acknowledgement.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::FutureExt;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::engine::Core;
use crate::job::{Job, Outcome};
use crate::settle::{Ack, settle};
use crate::stats::add;

/// An attempt's end.
pub(crate) struct Attempted {
    pub(crate) ack: Ack,
    pub(crate) took: Duration,
}

/// Runs a job's worker. `kill` stops it where it awaits; it is then due again at once.
pub(crate) async fn attempt(core: &Core, job: Job, kill: &CancellationToken) -> Attempted {
    let began = Instant::now();
    core.stats.running.fetch_add(1, Ordering::Relaxed);
    let (outcome, delay) = match core.workers.get(job.worker.as_str()) {
        // Another version of the program may know it: wait, don't give up.
        None => {
            let why = format!("no worker named {} runs here", job.worker);
            (Outcome::Retry(why), crate::Backoff::DEFAULT.delay(job.failures + 1, rand::random()))
        }
        Some(worker) => {
            let timeout = worker.timeout();
            let call = AssertUnwindSafe(async { worker.run(job.clone()).await }).catch_unwind();
            let outcome = tokio::select! {
                // A worker that ended in the same moment has ended.
                biased;
                ended = tokio::time::timeout(timeout, call) => match ended {
                    Ok(Ok(outcome)) => Some(outcome),
                    Ok(Err(panic)) => {
                        add(&core.stats.panics, 1);
                        Some(Outcome::Retry(format!("the worker panicked: {}", panic_text(&*panic))))
                    }
                    Err(_) => {
                        add(&core.stats.timeouts, 1);
                        Some(Outcome::Retry(format!("the worker took longer than {timeout:?}")))
                    }
                },
                () = kill.cancelled() => None,
            };
            match outcome {
                Some(outcome) => (outcome, worker.backoff(job.failures + 1, rand::random())),
                None => (Outcome::Snooze(Duration::ZERO), Duration::ZERO),
            }
        }
    };
    core.stats.running.fetch_sub(1, Ordering::Relaxed);
    let counter = match &outcome {
        Outcome::Done => &core.stats.done,
        Outcome::Cancel(_) => &core.stats.cancelled,
        Outcome::Snooze(_) => &core.stats.snoozed,
        Outcome::Retry(_) if job.is_last_attempt() => &core.stats.discarded,
        Outcome::Retry(_) => &core.stats.retried,
    };
    add(counter, 1);
    if let Outcome::Retry(why) | Outcome::Cancel(why) = &outcome {
        tracing::warn!(job = job.id.0, worker = job.worker, attempt = job.attempt, why, "job failed");
    }
    Attempted { ack: settle(&job, outcome, (core.options.clock)(), delay), took: began.elapsed() }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("no message")
}
