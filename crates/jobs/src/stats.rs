//! What the engine counts.
//!
//! **Invariant.** Counters only grow; gauges say what is so now. Reading them takes no lock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Live counters; read them with [`Stats::snapshot`].
#[derive(Debug, Default)]
pub struct Stats {
    pub(crate) taken: AtomicU64,
    pub(crate) done: AtomicU64,
    pub(crate) retried: AtomicU64,
    pub(crate) discarded: AtomicU64,
    pub(crate) cancelled: AtomicU64,
    pub(crate) snoozed: AtomicU64,
    pub(crate) handed_back: AtomicU64,
    pub(crate) rescued: AtomicU64,
    pub(crate) lost: AtomicU64,
    pub(crate) stopped: AtomicU64,
    pub(crate) fired: AtomicU64,
    pub(crate) panics: AtomicU64,
    pub(crate) timeouts: AtomicU64,
    pub(crate) store_errors: AtomicU64,
    pub(crate) stuck: AtomicI64,
    pub(crate) leads: AtomicI64,
    pub(crate) running: AtomicI64,
    pub(crate) buffered: AtomicI64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Snapshot {
    /// Jobs taken from the table.
    pub taken: u64,
    /// Attempts that ended well.
    pub done: u64,
    /// Attempts that failed and will be repeated.
    pub retried: u64,
    /// Jobs that failed for the last time.
    pub discarded: u64,
    /// Jobs given up by their worker.
    pub cancelled: u64,
    /// Attempts put off by their worker.
    pub snoozed: u64,
    /// Jobs taken and given back before they began.
    pub handed_back: u64,
    /// Jobs taken back from nodes whose lease was over.
    pub rescued: u64,
    /// Acknowledgements that came too late: somebody else had the job.
    pub lost: u64,
    /// Attempts stopped where they awaited: their job was cancelled or lost, or the engine drained.
    pub stopped: u64,
    /// Ticks of cron entries that this node made jobs of.
    pub fired: u64,
    /// Attempts that panicked; counted in `retried` or `discarded` too.
    pub panics: u64,
    /// Attempts that took too long; counted in `retried` or `discarded` too.
    pub timeouts: u64,
    /// Statements that the database refused.
    pub store_errors: u64,
    /// Attempts now that run on beyond their timeout: they block their thread and can't be stopped.
    pub stuck: i64,
    /// Whether this node leads now: 0 or 1.
    pub leads: i64,
    /// Jobs running now.
    pub running: i64,
    /// Jobs taken that wait for their turn now.
    pub buffered: i64,
}

impl Stats {
    /// All counters now. They are read one after the other: sums may be off by what happens meanwhile.
    pub fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            taken: read(&self.taken),
            done: read(&self.done),
            retried: read(&self.retried),
            discarded: read(&self.discarded),
            cancelled: read(&self.cancelled),
            snoozed: read(&self.snoozed),
            handed_back: read(&self.handed_back),
            rescued: read(&self.rescued),
            lost: read(&self.lost),
            stopped: read(&self.stopped),
            fired: read(&self.fired),
            panics: read(&self.panics),
            timeouts: read(&self.timeouts),
            store_errors: read(&self.store_errors),
            stuck: self.stuck.load(Ordering::Relaxed),
            leads: self.leads.load(Ordering::Relaxed),
            running: self.running.load(Ordering::Relaxed),
            buffered: self.buffered.load(Ordering::Relaxed),
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, n: usize) {
    counter.fetch_add(n as u64, Ordering::Relaxed);
}
