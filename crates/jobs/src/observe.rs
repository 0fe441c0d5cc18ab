//! What an engine tells whoever listens, as it happens.
//!
//! **Invariant.** An observer is called from the engine's own tasks and changes nothing: it must not wait.

use std::time::Duration;

use crate::job::{Job, Outcome};

/// Hears what an engine does. Give it to [`Engine::observe`](crate::Engine::observe).
pub trait Observer: Send + Sync + 'static {
    /// Something happened.
    fn event(&self, event: &Event<'_>);
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Jobs were taken from a queue.
    Taken {
        /// Which queue.
        queue: &'a str,
        /// How many.
        jobs: usize,
    },
    /// An attempt begins.
    Began {
        /// At which job.
        job: &'a Job,
        /// How long it was due already.
        waited: Duration,
    },
    /// An attempt ended.
    Ended {
        /// At which job.
        job: &'a Job,
        /// What its worker said, or what is said for one that panicked or took too long.
        outcome: &'a Outcome,
        /// How long it ran.
        took: Duration,
    },
    /// An attempt was stopped where it awaited.
    Stopped {
        /// At which job.
        job: &'a Job,
        /// Why.
        why: Stopped,
    },
    /// Jobs were taken back whose lease was over.
    Rescued {
        /// How many.
        jobs: usize,
    },
    /// A cron entry's tick became a job.
    Fired {
        /// Which entry.
        entry: &'a str,
        /// Which tick, in milliseconds since 1970.
        tick: i64,
    },
    /// This node began or ceased to lead.
    Leads(bool),
    /// A queue's row was changed.
    Queue {
        /// Which queue.
        queue: &'a str,
        /// What it says now.
        setting: Setting,
    },
}

/// Why an attempt was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stopped {
    /// Its job was cancelled, or rescued by a node that thought this one dead. What it would have said does not count.
    Lost,
    /// Its lease could not be renewed in time: another node may begin it. It is due again at once.
    LeaseOver,
    /// The engine ran out of patience while it drained. It is due again at once.
    Drained,
}

/// What a queue's row says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Setting {
    /// Nothing is taken from it.
    pub paused: bool,
    /// Jobs at a time on each node; `None`: what the node's program says.
    pub per_node: Option<u32>,
    /// Jobs at a time on all nodes together.
    pub everywhere: Option<u32>,
}
