//! How far feeding is, for whoever watches it.
//!
//! **Invariant.** Numbers only grow, but for what a stream holds ready; reading them never holds the feed up. There is one
//! counter a reason and an end, however many sources there are.

use std::sync::atomic::{AtomicU64, Ordering};

use pulse_data::feeds::{Counts, Reason};

use super::run::{Fed, FeedRunError};

/// Counters that feeding moves and a progress bar or a metric reads.
#[derive(Debug, Default)]
pub struct FeedProgress {
    bytes: AtomicU64,
    changed: AtomicU64,
    unchanged: AtomicU64,
    dead: AtomicU64,
    reasons: [AtomicU64; Reason::ALL.len()],
    repeated: AtomicU64,
    waits: AtomicU64,
    pending: AtomicU64,
    done: AtomicU64,
    known: AtomicU64,
    refused: AtomicU64,
    failed: AtomicU64,
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
    /// Messages that a stream holds and has not been told of as done.
    pub pending: u64,
    /// How feeds ended.
    pub ends: FeedEnds,
}

/// How many feeds ended, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FeedEnds {
    /// All of their rows were dealt with.
    pub done: u64,
    /// They had been fed before.
    pub known: u64,
    /// They could not be used as a whole.
    pub refused: u64,
    /// They stopped at their mark, to be tried again.
    pub failed: u64,
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
            pending: read(&self.pending),
            ends: FeedEnds {
                done: read(&self.done),
                known: read(&self.known),
                refused: read(&self.refused),
                failed: read(&self.failed),
            },
        }
    }

    /// How many rows died of each reason.
    pub fn reasons(&self) -> impl Iterator<Item = (Reason, u64)> {
        Reason::ALL.into_iter().zip(self.reasons.iter().map(|counter| counter.load(Ordering::Relaxed)))
    }

    pub(super) fn read_to(&self, bytes: u64) {
        self.bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    pub(super) fn count(&self, counts: Counts, reasons: &[(Reason, u64)]) {
        self.changed.fetch_add(counts.changed, Ordering::Relaxed);
        self.unchanged.fetch_add(counts.unchanged, Ordering::Relaxed);
        self.dead.fetch_add(counts.dead, Ordering::Relaxed);
        for (counter, reason) in self.reasons.iter().zip(Reason::ALL) {
            let rows = reasons.iter().find(|(of, _)| *of == reason).map_or(0, |(_, rows)| *rows);
            counter.fetch_add(rows, Ordering::Relaxed);
        }
    }

    pub(super) fn repeated(&self, rows: u64) {
        self.repeated.fetch_add(rows, Ordering::Relaxed);
    }

    pub(super) fn waited(&self) {
        self.waits.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn pending(&self, messages: u64) {
        self.pending.store(messages, Ordering::Relaxed);
    }

    pub(super) fn ended(&self, how: &Result<Fed, FeedRunError>) {
        let counter = match how {
            Ok(Fed::Done(_)) => &self.done,
            Ok(Fed::Known(_)) => &self.known,
            Ok(Fed::Refused(_)) => &self.refused,
            Ok(Fed::Stopped(_)) => return,
            Err(_) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}
