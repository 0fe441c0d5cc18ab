//! How far feeding is, for whoever watches it.
//!
//! **Invariant.** Numbers only grow; reading them never holds the feed up.

use std::sync::atomic::{AtomicU64, Ordering};

use pulse_data::feeds::Counts;

/// Counters that feeding moves and a progress bar reads.
#[derive(Debug, Default)]
pub struct FeedProgress {
    bytes: AtomicU64,
    changed: AtomicU64,
    unchanged: AtomicU64,
    dead: AtomicU64,
    repeated: AtomicU64,
    waits: AtomicU64,
}

/// One look at a [`FeedProgress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedStanding {
    /// Bytes of the files that are read.
    pub bytes: u64,
    /// What became of rows in this run.
    pub counts: Counts,
    /// Rows that had been dealt with before.
    pub repeated: u64,
    /// Times that a batch had to wait for the database.
    pub waits: u64,
}

impl FeedProgress {
    /// Where it stands.
    pub fn look(&self) -> FeedStanding {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        FeedStanding {
            bytes: read(&self.bytes),
            counts: Counts {
                changed: read(&self.changed),
                unchanged: read(&self.unchanged),
                dead: read(&self.dead),
            },
            repeated: read(&self.repeated),
            waits: read(&self.waits),
        }
    }

    pub(super) fn read_to(&self, bytes: u64) {
        self.bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(super) fn count(&self, counts: Counts) {
        self.changed.fetch_add(counts.changed, Ordering::Relaxed);
        self.unchanged.fetch_add(counts.unchanged, Ordering::Relaxed);
        self.dead.fetch_add(counts.dead, Ordering::Relaxed);
    }

    pub(super) fn repeated(&self, rows: u64) {
        self.repeated.fetch_add(rows, Ordering::Relaxed);
    }

    pub(super) fn waited(&self) {
        self.waits.fetch_add(1, Ordering::Relaxed);
    }
}
