//! Running what is due on the caller's own task.
//!
//! **Invariant.** One job at a time, in the order in which an engine would begin them; when it returns, nothing that was
//! due is left.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::attempt::attempt;
use crate::core::Core;
use crate::held::Recall;
use crate::settle::poisoned;
use crate::state::State;
use crate::stats::add;
use crate::table::{self, Taken};

/// How a run went: attempts by the state that they led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct Ran {
    /// All attempts.
    pub attempts: usize,
    /// Done.
    pub completed: usize,
    /// Failed, to be repeated.
    pub retryable: usize,
    /// Failed for the last time.
    pub discarded: usize,
    /// Given up by their worker.
    pub cancelled: usize,
    /// Put off by their worker.
    pub snoozed: usize,
}

impl Ran {
    fn count(&mut self, state: State) {
        self.attempts += 1;
        match state {
            State::Completed => self.completed += 1,
            State::Retryable => self.retryable += 1,
            State::Discarded => self.discarded += 1,
            State::Cancelled => self.cancelled += 1,
            State::Scheduled | State::Available | State::Executing => self.snoozed += 1,
        }
    }
}

/// An inline run renews no lease: each job has one as long as its worker may take.
const SLACK: Duration = Duration::from_secs(30);

pub(crate) async fn run_due(core: &Core, queues: &[&str]) -> Result<Ran, DbErr> {
    let slowest = core.workers.values().map(|worker| worker.timeout()).max().unwrap_or_default();
    let lease = crate::core::millis(slowest + SLACK);
    let never = CancellationToken::new();
    let mut ran = Ran::default();
    loop {
        let now = core.now();
        add(&core.stats.rescued, table::rescue(&*core.store, now).await?);
        table::stage(&*core.store, now).await?;
        let mut found = false;
        for queue in queues {
            let now = core.now();
            let lease_until = now.saturating_add(lease);
            let taken = table::take(&*core.store, queue, &core.node, 1, now, lease_until).await?;
            add(&core.stats.taken, taken.len());
            for taken in taken {
                found = true;
                let ack = match taken {
                    Taken::Job(job) => attempt(core, job, &never, &Arc::<Recall>::default()).await.ack,
                    Taken::Poison { id, attempt, why } => Some(poisoned(id, attempt, core.now(), &why)),
                };
                let Some(ack) = ack else { continue };
                ran.count(ack.state);
                let written = table::acknowledge(&*core.store, &core.node, &[ack]).await?;
                add(&core.stats.lost, 1 - written);
            }
        }
        if !found {
            return Ok(ran);
        }
    }
}
