//! Monitors: hearing of another server's end. Invariant: each monitor delivers at most one `Down`, and exactly
//! one unless it is cancelled or its watcher ends first.

use std::sync::Arc;

use crate::exit::Exit;
use crate::process::{Process, ServerId, WatchId};

/// A monitored server is dead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Down {
    /// Which one.
    pub id: ServerId,
    /// Why. A monitor set on a dead server reports the reason of its end.
    pub reason: Exit,
}

/// A monitor that can be taken back. Dropping it changes nothing.
#[must_use = "dropping a monitor does not cancel it; keep it only to cancel it"]
pub struct Monitor {
    pub(crate) watch: WatchId,
    /// The watched process; a server's own monitors are found through the server instead.
    pub(crate) target: Option<Arc<dyn Process>>,
}

impl Monitor {
    /// Takes a monitor of [`Addr::monitor`](crate::Addr::monitor) back. O(n) in the target's monitors.
    pub fn cancel(self) {
        if let Some(target) = self.target {
            target.unwatch(self.watch);
        }
    }

    /// Lets the monitor stand.
    pub fn keep(self) {}
}

impl std::fmt::Debug for Monitor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Monitor")
    }
}
