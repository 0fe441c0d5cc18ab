//! What outlives a crash: the facts that were acknowledged, and nothing else.
//!
//! **Invariant.** The heir is told of whole changes only, and runs nobody else's code: whatever a life was doing when it died,
//! what lies here is consistent.
//!
//! It would be easier to keep the state itself in an `Arc<Mutex<_>>` that both lives see. Then the next life would find what the crash
//! left: a change that was half done is exactly what made it crash, and it would crash again.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::counters::{Change, Counters};

/// The keeper of the facts. Clones are the same keeper; one is with the supervisor's recipe for the child, one with each life.
#[derive(Clone)]
pub struct Heir {
    facts: Arc<Mutex<Counters>>,
}

impl Heir {
    /// A keeper without facts.
    pub fn new(ttl: Duration) -> Self {
        // Its bound is the bound of the counters that it is told of.
        Self { facts: Arc::new(Mutex::new(Counters::new(ttl, usize::MAX))) }
    }

    fn facts(&self) -> MutexGuard<'_, Counters> {
        // Nothing under this lock can panic, so what a poisoned lock guards is whole.
        self.facts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps what was changed, all of it at once.
    pub fn record(&self, changes: &[Change]) {
        self.facts().apply(changes);
    }

    /// Forgets what has expired.
    pub fn sweep(&self, now: Instant) {
        self.facts().sweep(now);
    }

    /// What the next life begins with.
    pub fn estate(&self) -> Vec<Change> {
        self.facts().facts()
    }

    /// How many facts are kept.
    pub fn len(&self) -> usize {
        self.facts().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.facts().is_empty()
    }
}
