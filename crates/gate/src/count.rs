//! Counters for what a budget is about: calls, messages, statements; and how deep a queue was.
//!
//! **Invariant.** Clones count into the same figure, from any thread.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// How often something happened.
#[derive(Clone, Debug, Default)]
pub struct Tally(Arc<AtomicU64>);

impl Tally {
    /// It happened once more.
    pub fn one(&self) {
        self.add(1);
    }

    /// It happened so many times more.
    pub fn add(&self, times: u64) {
        self.0.fetch_add(times, Ordering::SeqCst);
    }

    /// So far.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// How many are inside now, and how many were at the most.
///
/// ```
/// let queue = gate::Gauge::default();
/// queue.enter();
/// queue.enter();
/// queue.leave();
/// assert_eq!((queue.now(), queue.deepest()), (1, 2));
/// ```
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<(AtomicI64, AtomicI64)>);

impl Gauge {
    /// One more is inside.
    pub fn enter(&self) {
        let now = self.0.0.fetch_add(1, Ordering::SeqCst) + 1;
        self.0.1.fetch_max(now, Ordering::SeqCst);
    }

    /// One is gone.
    pub fn leave(&self) {
        self.0.0.fetch_sub(1, Ordering::SeqCst);
    }

    /// How many are inside.
    pub fn now(&self) -> i64 {
        self.0.0.load(Ordering::SeqCst)
    }

    /// How many there were at the most.
    pub fn deepest(&self) -> i64 {
        self.0.1.load(Ordering::SeqCst)
    }
}
