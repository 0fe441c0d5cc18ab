//! The keeper of the leases: says again and again that this node lives.
//!
//! **Invariant.** Leases of which a quarter has passed are renewed by one statement. A node that can't renew stops what it
//! runs before another may begin it; what a renewal does not find any more is stopped too.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use crate::core::{Core, millis};
use crate::table;

/// A lease is looked at so often in its life: the first look may leave it alone, the second renews it, the third and
/// fourth try again where that failed.
const LOOKS: u32 = 4;

pub(crate) async fn run(core: Arc<Core>) {
    let between = (core.options.lease / LOOKS).max(Duration::from_millis(1));
    let mut next = between;
    loop {
        let controlled = tokio::select! {
            () = core.options.wake.recalled() => true,
            () = tokio::time::sleep(next) => false,
            () = core.dead.cancelled() => return,
        };
        next = if look(&core, between, controlled).await { between } else { between.min(core.options.poll) };
    }
}

/// Renews what is due, or all that is held where somebody calls for control; `false` where the database failed.
async fn look(core: &Core, between: Duration, all: bool) -> bool {
    let due = core.held.due(Instant::now());
    let stuck = i64::try_from(due.stuck.len()).unwrap_or(i64::MAX);
    if core.stats.stuck.swap(stuck, Ordering::Relaxed) < stuck {
        tracing::error!(jobs = ?due.stuck, "attempts run on long after their timeout: they block their thread");
    }
    if !due.any {
        return true;
    }
    let (_, until) = core.lease();
    let before = if all { i64::MAX } else { until.saturating_sub(millis(between)) };
    let mut asked = core.held.ending_before(before);
    asked.retain(|(id, _)| !due.stuck.contains(id));
    if asked.is_empty() {
        return true;
    }
    let renewing = table::renew(&*core.store, &core.node, &asked, until);
    let renewed = match tokio::time::timeout(between, renewing).await {
        Ok(Ok(mine)) => {
            core.held.renewed(&asked, &mine, until);
            true
        }
        Ok(Err(error)) => {
            core.failed("renew leases", &error);
            false
        }
        Err(_) => {
            core.failed("renew leases", &sea_orm::DbErr::Custom(format!("no answer within {between:?}")));
            false
        }
    };
    // The next look may come too late for these.
    core.held.lapse(core.now().saturating_add(millis(between)));
    renewed
}
