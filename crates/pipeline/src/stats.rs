//! Counters, and their values at one moment.
//!
//! **Invariant.** They are added to once a chunk or batch and only ever grow; what is under way is a difference of two.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::ack::Acks;
use crate::batch::Trigger;

/// The live counters of a pipeline.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) produced: AtomicU64,
    pub(crate) processed: AtomicU64,
    pub(crate) process_failed: AtomicU64,
    pub(crate) process_nanos: AtomicU64,
    acked_done: AtomicU64,
    acked_failed: AtomicU64,
    ack_errors: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) failed_hook_errors: AtomicU64,
    pub(crate) producer_errors: AtomicU64,
    pub(crate) producer_restarts: AtomicU64,
    pub(crate) rate_waits: AtomicU64,
    pub(crate) batchers: Vec<BatcherCounters>,
}

/// The live counters of one batcher.
#[derive(Default)]
pub(crate) struct BatcherCounters {
    pub(crate) name: &'static str,
    pub(crate) batches: AtomicU64,
    pub(crate) messages: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) nanos: AtomicU64,
    pub(crate) waiting: AtomicU64,
    pub(crate) triggers: [AtomicU64; Trigger::ALL.len()],
}

/// What a pipeline has done since its start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Messages that its sources gave.
    pub produced: u64,
    /// Messages that `handle_message` took well.
    pub processed: u64,
    /// Messages that failed before a batch.
    pub process_failed: u64,
    /// Time spent in `prepare` and `handle_message`, over all processors.
    pub process_time: Duration,
    /// Messages whose source was told that they ended well.
    pub acked_done: u64,
    /// Messages whose source was told that they failed.
    pub acked_failed: u64,
    /// Messages whose source could not be told; they are in neither of the two above.
    pub ack_errors: u64,
    /// Messages between their source and their acknowledgement now.
    pub in_flight: u64,
    /// Callbacks that panicked.
    pub panics: u64,
    /// Calls of the dead-letter hook that failed.
    pub failed_hook_errors: u64,
    /// Times that a source erred.
    pub producer_errors: u64,
    /// Times that a producer was made anew after a panic.
    pub producer_restarts: u64,
    /// Times that a producer waited for the rate limit.
    pub rate_waits: u64,
    /// One for each batcher, in order of declaration.
    pub batchers: Vec<BatcherStats>,
}

/// What a batcher has done since the start.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BatcherStats {
    /// Its name.
    pub name: &'static str,
    /// Batches handled.
    pub batches: u64,
    /// Messages in them.
    pub messages: u64,
    /// Messages in them that failed.
    pub failed: u64,
    /// Time spent in `handle_batch`, over all batch processors.
    pub time: Duration,
    /// Messages in open batches now.
    pub waiting: u64,
    /// Batches by what closed them, in the order of [`Trigger::ALL`].
    pub triggers: [u64; Trigger::ALL.len()],
}

impl Counters {
    pub(crate) fn new(batchers: impl Iterator<Item = &'static str>) -> Self {
        let batchers = batchers.map(|name| BatcherCounters { name, ..BatcherCounters::default() }).collect();
        Self { batchers, ..Self::default() }
    }

    /// A source was told of these, or could not be.
    pub(crate) fn acked(&self, acks: &Acks<'_>, error: bool) {
        if error {
            add(&self.ack_errors, acks.len());
        } else {
            add(&self.acked_done, acks.done.len());
            add(&self.acked_failed, acks.failed.len());
        }
    }

    /// Messages given and not yet acknowledged.
    pub(crate) fn in_flight(&self) -> u64 {
        // Ends first: what is given meanwhile can only make the difference larger, never negative.
        let ended = read(&self.acked_done) + read(&self.acked_failed) + read(&self.ack_errors);
        read(&self.produced).saturating_sub(ended)
    }

    pub(crate) fn snapshot(&self) -> Stats {
        Stats {
            in_flight: self.in_flight(),
            produced: read(&self.produced),
            processed: read(&self.processed),
            process_failed: read(&self.process_failed),
            process_time: Duration::from_nanos(read(&self.process_nanos)),
            acked_done: read(&self.acked_done),
            acked_failed: read(&self.acked_failed),
            ack_errors: read(&self.ack_errors),
            panics: read(&self.panics),
            failed_hook_errors: read(&self.failed_hook_errors),
            producer_errors: read(&self.producer_errors),
            producer_restarts: read(&self.producer_restarts),
            rate_waits: read(&self.rate_waits),
            batchers: self.batchers.iter().map(BatcherCounters::snapshot).collect(),
        }
    }
}

impl BatcherCounters {
    fn snapshot(&self) -> BatcherStats {
        BatcherStats {
            name: self.name,
            batches: read(&self.batches),
            messages: read(&self.messages),
            failed: read(&self.failed),
            time: Duration::from_nanos(read(&self.nanos)),
            waiting: read(&self.waiting),
            triggers: std::array::from_fn(|at| read(&self.triggers[at])),
        }
    }
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Ordering::Relaxed);
}

pub(crate) fn add_time(counter: &AtomicU64, time: Duration) {
    counter.fetch_add(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX), Ordering::Relaxed);
}
