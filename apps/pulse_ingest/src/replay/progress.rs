//! How far a replay is, for whoever watches it.
//!
//! **Invariant.** Numbers only grow; reading them never holds the replay up.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters that a replay moves and a progress bar reads.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    bytes_total: AtomicU64,
    rows: AtomicU64,
    orders: AtomicU64,
    returns: AtomicU64,
    dead: AtomicU64,
    files: AtomicU64,
}

/// One look at a [`Progress`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Standing {
    /// Bytes of the files that are dealt with; skipped files count.
    pub bytes: u64,
    /// Bytes of all files.
    pub bytes_total: u64,
    /// Rows that were sent on their way in this run.
    pub rows: u64,
    /// Invoices that were checked out in this run.
    pub orders: u64,
    /// Credit notes that were booked in this run.
    pub returns: u64,
    /// Rows that made no sense.
    pub dead: u64,
    /// Files that are done.
    pub files: u64,
}

impl Progress {
    /// Where it stands.
    pub fn look(&self) -> Standing {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Standing {
            bytes: read(&self.bytes),
            bytes_total: read(&self.bytes_total),
            rows: read(&self.rows),
            orders: read(&self.orders),
            returns: read(&self.returns),
            dead: read(&self.dead),
            files: read(&self.files),
        }
    }

    pub(super) fn expect(&self, bytes: u64) {
        self.bytes_total.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn read_to(&self, bytes: u64) {
        self.bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(super) fn row(&self) {
        self.rows.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn order(&self) {
        self.orders.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn returned(&self) {
        self.returns.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn dead(&self) {
        self.dead.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn file(&self) {
        self.files.fetch_add(1, Ordering::Relaxed);
    }
}
