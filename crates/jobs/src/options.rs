//! How an engine works.
//!
//! **Invariant.** Every bound that an engine keeps is named here or by a worker.

use std::time::Duration;

use crate::clock::{Clock, system_clock};
use crate::wake::Wake;

/// How an engine works. `Options::default()` is right for most.
#[derive(Clone)]
pub struct Options {
    /// This process's name in the table, for people; the engine adds a random part, so that a restarted process
    /// is another node.
    pub node: String,
    /// How often to look for work that nobody announced, for due retries, lost leases and changed queues.
    pub poll: Duration,
    /// How long a job belongs to a node that no longer says that it lives. While it lives it renews its leases, long
    /// before they end, so that a worker may run for as long as it likes. What a killed node ran is taken up again
    /// within this and a [`poll`](Self::poll). The clocks of all nodes must agree within a small part of it.
    pub lease: Duration,
    /// How many jobs of a queue are taken ahead at most, where they are short.
    pub batch: usize,
    /// For how long ended jobs are kept.
    pub keep: Duration,
    /// Which time it is.
    pub clock: Clock,
    /// Woken by whoever enqueues in this process.
    pub wake: Wake,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            node: "node".to_owned(),
            poll: Duration::from_secs(1),
            lease: Duration::from_secs(6),
            batch: 1_000,
            keep: Duration::from_hours(24),
            clock: system_clock(),
            wake: Wake::new(),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { node, poll, lease, batch, keep, clock: _, wake: _ } = self;
        f.debug_struct("Options")
            .field("node", node)
            .field("poll", poll)
            .field("lease", lease)
            .field("batch", batch)
            .field("keep", keep)
            .finish_non_exhaustive()
    }
}
