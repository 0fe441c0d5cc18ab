//! Housekeeping: stages what is due, rescues what was lost, prunes what is old, follows the queues' rows.
//!
//! **Invariant.** Each tick does a bounded amount of work, and ticks again at once only where there was more.

use std::sync::Arc;

use sea_orm::DbErr;
use tokio_util::sync::CancellationToken;

use crate::core::{Core, millis};
use crate::observe::Event;
use crate::stats::add;
use crate::{queues, table};

/// Ticks between two prunings.
const PRUNE_EVERY: u32 = 60;

pub(crate) async fn run(core: Arc<Core>, stop: CancellationToken) {
    let mut declared = false;
    let mut ticks = 0_u32;
    while !stop.is_cancelled() {
        let swept = async {
            if !declared {
                queues::declare(&*core.store, core.settings.keys(), core.now()).await?;
                declared = true;
            }
            follow(&core).await?;
            sweep(&core, ticks.is_multiple_of(PRUNE_EVERY)).await
        };
        match swept.await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(error) => core.failed("sweep", &error),
        }
        ticks = ticks.wrapping_add(1);
        tokio::select! {
            () = stop.cancelled() => return,
            () = core.options.wake.controlled() => {}
            () = tokio::time::sleep(core.options.poll) => {}
        }
    }
}

/// Reads the queues' rows and hands what is new to their loops.
async fn follow(core: &Core) -> Result<(), DbErr> {
    for (queue, setting) in queues::settings(&*core.store).await? {
        let Some(known) = core.settings.get(&queue) else { continue };
        let changed = known.send_if_modified(|known| {
            let changed = *known != setting;
            *known = setting;
            changed
        });
        if changed {
            core.tell(&Event::Queue { queue: &queue, setting });
            tracing::info!(queue, ?setting, "a queue follows its row");
        }
    }
    Ok(())
}

/// Whether there is more to sweep.
async fn sweep(core: &Core, prune: bool) -> Result<bool, DbErr> {
    let store = &*core.store;
    let now = core.now();
    let mut most = 0;
    let mut news = 0;
    if core.may_rescue() {
        let rescued = table::rescue(store, now).await?;
        if rescued > 0 {
            add(&core.stats.rescued, rescued);
            core.tell(&Event::Rescued { jobs: rescued });
            tracing::warn!(jobs = rescued, "jobs were taken back whose lease was over");
        }
        (most, news) = (rescued, rescued);
    }
    let staged = table::stage(store, now).await?;
    most = most.max(staged);
    news += staged;
    if news > 0 {
        core.options.wake.all_here();
    }
    if prune {
        most = most.max(table::prune(store, now.saturating_sub(millis(core.options.keep))).await?);
    }
    Ok(i64::try_from(most).is_ok_and(|most| most >= table::SWEEP))
}
