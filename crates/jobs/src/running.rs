//! A started engine: its tasks, and how they end.
//!
//! **Invariant.** What is taken is bounded a queue; what is taken at the time of a drain is run to its end, given
//! back, or, where a worker can't be stopped, left to its lease. Leases are renewed until the last job has ended.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::queue::QueueLoop;
use crate::stats::{Snapshot, Stats};
use crate::wake::Wake;
use crate::{housekeeping, keeper, leader, listen, table};

/// How a drain went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Drained {
    /// Everything ended or was given back within the time.
    pub clean: bool,
    /// The counters at the end.
    pub stats: Snapshot,
}

/// A started engine. Dropping it stops the tasks where they are, soon; what ran is found again after its lease. A statement
/// that was on its way goes through or not: whoever must know asks by [`cut_off`](Self::cut_off).
pub struct Running {
    core: Arc<Core>,
    stop: CancellationToken,
    kill: CancellationToken,
    /// One a queue.
    loops: JoinSet<()>,
    /// What must go on until the loops have ended.
    keeper: JoinSet<()>,
    /// What ends with the call to stop, by itself.
    chores: JoinSet<()>,
    /// What hears and tells other nodes.
    ears: JoinSet<()>,
}

/// How long a stopped worker may take to notice, and its acknowledgement to be written.
const AFTER_KILL: Duration = Duration::from_secs(2);

impl Running {
    pub(crate) fn start(core: Core, queues: BTreeMap<String, usize>) -> Self {
        let core = Arc::new(core);
        let (stop, kill) = (core.dead.child_token(), CancellationToken::new());
        let (mut loops, mut keeper) = (JoinSet::new(), JoinSet::new());
        let (mut chores, mut ears) = (JoinSet::new(), JoinSet::new());
        for (name, concurrency) in queues {
            if let Some(setting) = core.settings.get(&name) {
                let wake = core.options.wake.register(&name);
                let queue = QueueLoop::new(Arc::clone(&core), name, concurrency, wake, setting.subscribe());
                loops.spawn(queue.run(stop.clone(), kill.clone()));
            }
        }
        keeper.spawn(keeper::run(Arc::clone(&core)));
        chores.spawn(housekeeping::run(Arc::clone(&core), stop.clone()));
        if !core.crons.is_empty() {
            chores.spawn(leader::run(Arc::clone(&core), stop.clone()));
        }
        if let Some(server) = core.store.listens_at() {
            ears.spawn(listen::hear(Arc::clone(&core), server));
            ears.spawn(listen::send(Arc::clone(&core)));
        }
        Self { core, stop, kill, loops, keeper, chores, ears }
    }

    /// Wakes queues.
    pub fn wake(&self) -> Wake {
        self.core.options.wake.clone()
    }

    /// The counters.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.core.stats)
    }

    /// This engine's name in the table.
    pub fn node(&self) -> &str {
        &self.core.node
    }

    /// Takes nothing more, gives back what has not begun, and waits up to `patience` for what runs; what then
    /// still runs is stopped where it awaits and is due again at once.
    pub async fn drain(mut self, patience: Duration) -> Drained {
        self.stop.cancel();
        let in_time = tokio::time::timeout(patience, ended(&mut self.loops)).await.is_ok();
        let clean = in_time || {
            self.kill.cancel();
            tokio::time::timeout(AFTER_KILL, ended(&mut self.loops)).await.is_ok()
        };
        if !clean {
            tracing::warn!("jobs did not stop in time; they will be repeated after their lease");
        }
        self.keeper.shutdown().await;
        self.ears.shutdown().await;
        // The leader resigns and a sweep that is under way ends, if the database lets them.
        if tokio::time::timeout(AFTER_KILL, ended(&mut self.chores)).await.is_err() {
            self.chores.shutdown().await;
        }
        Drained { clean, stats: self.core.stats.snapshot() }
    }

    /// Stops everything where it is, as the death of the process would: nothing is given back, no outcome is written, and
    /// the leader does not resign. Returns when every task has ended and what the database was asked has been answered, so
    /// the table is as this engine leaves it. For tests of what comes after a crash; a program that ends drains.
    pub async fn cut_off(mut self) {
        self.core.dead.cancel();
        self.ears.shutdown().await;
        for tasks in [&mut self.loops, &mut self.keeper, &mut self.chores] {
            ended(tasks).await;
        }
        if let Err(error) = table::settle_down(&*self.core.store, &self.core.node).await {
            self.core.failed("settle down", &error);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.core.options.wake.send_on(false);
        self.core.stats.leads.store(0, Ordering::Relaxed);
    }
}

async fn ended(tasks: &mut JoinSet<()>) {
    while tasks.join_next().await.is_some() {}
}
