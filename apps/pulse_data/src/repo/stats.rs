//! What a [`Repo`](crate::Repo) has done, for metrics.
//!
//! **Invariant.** Counts only go up.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts since the repo was opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RepoStats {
    /// Writes that ran to their end, kept or taken back.
    pub writes: u64,
    /// Commits; fewer than writes where those share them.
    pub commits: u64,
    /// Writes that were answered `Overloaded` because too many waited.
    pub refused: u64,
    /// Times that a write was tried again.
    pub retries: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    writes: AtomicU64,
    commits: AtomicU64,
    refused: AtomicU64,
    retries: AtomicU64,
}

impl Counters {
    pub(super) fn committed(&self, writes: usize) {
        self.writes.fetch_add(writes as u64, Ordering::Relaxed);
        self.commits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn retried(&self) {
        self.retries.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn read(&self) -> RepoStats {
        RepoStats {
            writes: self.writes.load(Ordering::Relaxed),
            commits: self.commits.load(Ordering::Relaxed),
            refused: self.refused.load(Ordering::Relaxed),
            retries: self.retries.load(Ordering::Relaxed),
        }
    }
}
