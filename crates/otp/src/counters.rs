//! What supervisors count. Invariant: counts only grow, restarts of the supervisor itself included.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::exit::Exit;

/// What a supervisor has done since it was made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Starts, restarts included.
    pub started: u64,
    /// Ends of children, whatever the reason.
    pub stopped: u64,
    /// Ends with a failure.
    pub failed: u64,
    /// Restarts.
    pub restarts: u64,
    /// Children that could not be killed.
    pub leaked: u64,
}

#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) started: AtomicU64,
    pub(crate) stopped: AtomicU64,
    pub(crate) failed: AtomicU64,
    pub(crate) restarts: AtomicU64,
    pub(crate) leaked: AtomicU64,
}

impl Counters {
    pub(crate) fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, exit: &Exit) {
        Self::add(&self.stopped);
        if exit.is_failure() {
            Self::add(&self.failed);
        }
    }

    pub(crate) fn read(&self) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            started: get(&self.started),
            stopped: get(&self.stopped),
            failed: get(&self.failed),
            restarts: get(&self.restarts),
            leaked: get(&self.leaked),
        }
    }
}
