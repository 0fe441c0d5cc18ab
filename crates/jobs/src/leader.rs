//! The leader: of all nodes the one that turns ticks of cron entries into jobs.
//!
//! **Invariant.** One node leads at a time, by a lease in the leader's row; one that can't renew it stops leading before the
//! lease ends. That is for economy: that a tick fires once is the database's to say ((entry, tick) is unique).

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::core::{Core, millis};
use crate::observe::Event;
use crate::stats::add;
use crate::table::{self, Fired};

/// For how long a leader leads that says nothing more.
const LEASE: Duration = Duration::from_secs(15);

/// The longest sleep between two looks at the clock, which may be set meanwhile.
const NAP: Duration = Duration::from_secs(1);

#[derive(Default)]
struct Leader {
    /// Until when this node leads.
    until: i64,
    /// Each entry's last tick, in the order of the entries; known while it leads.
    last: Vec<i64>,
}

pub(crate) async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut declared = false;
    let mut leader = Leader::default();
    while !stop.is_cancelled() {
        let turn = async {
            if !declared {
                for entry in &core.crons {
                    let store = &*core.store;
                    table::declare(store, entry.name(), entry.expression(), entry.zone(), core.now()).await?;
                }
                declared = true;
            }
            leader.turn(&core).await
        };
        if let Err(error) = turn.await {
            core.failed("lead", &error);
        }
        if leader.until <= core.now() {
            note(&core, false);
        }
        tokio::select! {
            () = stop.cancelled() => break,
            () = tokio::time::sleep(core.options.poll.min(NAP)) => {}
        }
    }
    if core.stats.leads.load(Ordering::Relaxed) == 1 && !core.dead.is_cancelled() {
        note(&core, false);
        if let Err(error) = table::resign(&*core.store, &core.node).await {
            core.failed("resign", &error);
        }
    }
}

impl Leader {
    async fn turn(&mut self, core: &Core) -> Result<(), DbErr> {
        let now = core.now();
        // The lease is renewed when a third of it has passed.
        if self.until.saturating_sub(now) < millis(LEASE * 2 / 3) {
            let until = now.saturating_add(millis(LEASE));
            if !table::lead(&*core.store, &core.node, now, until).await? {
                self.until = i64::MIN;
                return Ok(());
            }
            self.until = until;
        }
        if core.stats.leads.load(Ordering::Relaxed) == 0 {
            self.learn(core).await?;
            note(core, true);
        }
        self.fire(core).await
    }

    async fn learn(&mut self, core: &Core) -> Result<(), DbErr> {
        let known = table::last_ticks(&*core.store).await?;
        let last = |name: &str| known.iter().find(|(known, _)| known == name).map(|(_, tick)| *tick);
        self.last = core.crons.iter().map(|entry| last(entry.name()).unwrap_or_else(|| core.now())).collect();
        Ok(())
    }

    async fn fire(&mut self, core: &Core) -> Result<(), DbErr> {
        for (entry, last) in core.crons.iter().zip(&mut self.last) {
            let now = core.now();
            let Some(tick) = entry.due(*last, now) else { continue };
            let job = tick.runs.then(|| entry.job(tick.at));
            let fired = table::fire(&*core.store, entry.name(), tick.at, job.as_ref(), now).await?;
            *last = tick.at;
            if let (Fired::New(id), Some(job)) = (fired, job) {
                add(&core.stats.fired, 1);
                core.tell(&Event::Fired { entry: entry.name(), tick: tick.at });
                tracing::info!(entry = entry.name(), tick = tick.at, job = id.0, "a cron entry fired");
                core.options.wake.queue(&job.queue);
            }
        }
        Ok(())
    }
}

fn note(core: &Core, leads: bool) {
    if core.stats.leads.swap(i64::from(leads), Ordering::Relaxed) != i64::from(leads) {
        core.tell(&Event::Leads(leads));
        tracing::info!(leads, "the leader of the job engines changed");
    }
}
