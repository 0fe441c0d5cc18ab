//! What the shop looks after by itself, at times that are configured: the workers of the schedule.
//!
//! **Invariant.** Each look is a job without arguments that can be repeated at any time: what it finds it notes in the
//! same transaction, so a second look finds only what is new. It works through bounded pages and gives up its place
//! after [`LOOK`].

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures::future::BoxFuture;
use jobs::{Job, Outcome, Wake, Worker};
use pulse_core::Principal;
use pulse_core::ports::Clock;
use pulse_data::accounts::Accounts;
use pulse_data::audit::{self, VerifyOptions};
use pulse_data::carts::GuestCarts;
use pulse_data::catalog::Catalog;
use pulse_data::mail::MAIL_QUEUE;
use pulse_data::orders::Orders;
use pulse_data::reminders::Reminders;
use pulse_data::webhooks::{WEBHOOK_QUEUE, Webhooks};
use pulse_data::{DbError, Repo};

use crate::runner::PAYMENT_QUEUE;
use crate::stats::{EffectStats, add};

/// In whose name the shop looks after itself.
const WATCH: Principal = Principal::System("watch");

/// How long a look may take.
pub const LOOK: Duration = Duration::from_mins(10);

/// Pages of a thousand rows that one pruning deletes at most of each kind.
const PAGES: usize = 100;

/// When to say what.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// A cart that was left alone for so long is reminded of.
    pub remind_after: Duration,
    /// A product of which so many pieces are left has run low.
    pub low_stock: i64,
    /// An order that has waited for its payment for so long is called off at the gateway.
    pub payment_patience: Duration,
    /// An audit row may wait so long for its seal.
    pub unsealed_limit: Duration,
    /// Webhook deliveries are kept for so long.
    pub keep_deliveries: Duration,
    /// Links in reminders work for so long.
    pub keep_links: Duration,
    /// A guest's cart that was left alone for so long is deleted. A day or more.
    pub keep_guest_carts: Duration,
}

impl Default for WatchOptions {
    fn default() -> Self {
        Self {
            remind_after: Duration::from_hours(24),
            low_stock: 5,
            payment_patience: Duration::from_hours(24),
            unsealed_limit: Duration::from_mins(5),
            keep_deliveries: Duration::from_hours(30 * 24),
            keep_links: Duration::from_hours(90 * 24),
            keep_guest_carts: Duration::from_hours(30 * 24),
        }
    }
}

/// The rooms that are looked at.
#[derive(Clone)]
pub(crate) struct Watched {
    pub(crate) repo: Repo,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) accounts: Accounts,
    pub(crate) guest_carts: GuestCarts,
    pub(crate) catalog: Catalog,
    pub(crate) orders: Orders,
    pub(crate) reminders: Reminders,
    pub(crate) webhooks: Webhooks,
    pub(crate) wake: Wake,
    pub(crate) stats: Arc<EffectStats>,
    pub(crate) options: WatchOptions,
}

/// One kind of look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// For carts that were left.
    Carts,
    /// For products that have run low.
    Stock,
    /// For orders that wait for their payment.
    Payments,
    /// At the audit trail's chain.
    Audit,
    /// For rows that nobody needs any more.
    Old,
    /// For guests' carts that nobody comes back to.
    GuestCarts,
}

impl Look {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Carts, Self::Stock, Self::Payments, Self::Audit, Self::Old, Self::GuestCarts];

    /// The name of its worker.
    pub const fn worker(self) -> &'static str {
        match self {
            Self::Carts => "watch.carts",
            Self::Stock => "watch.stock",
            Self::Payments => "watch.payments",
            Self::Audit => "watch.audit",
            Self::Old => "watch.old",
            Self::GuestCarts => "watch.guest_carts",
        }
    }
}

/// The worker of one kind of look.
pub(crate) struct Watch {
    pub(crate) look: Look,
    pub(crate) at: Watched,
}

impl Watch {
    async fn work(&self) -> Result<(), String> {
        match self.look {
            Look::Carts => self.carts().await,
            Look::Stock => self.stock().await,
            Look::Payments => self.payments().await,
            Look::Audit => self.audit().await,
            Look::Old => self.old().await,
            Look::GuestCarts => self.guest_carts().await,
        }
    }

    async fn carts(&self) -> Result<(), String> {
        let Watched { reminders, options, stats, wake, .. } = &self.at;
        let due = reminders.watch(&WATCH, options.remind_after).await.map_err(text)?;
        add(&stats.reminders, due as u64);
        wake.queue(MAIL_QUEUE);
        Ok(())
    }

    async fn stock(&self) -> Result<(), String> {
        let Watched { catalog, options, stats, wake, .. } = &self.at;
        let dips = catalog.tell_low_stock(&WATCH, options.low_stock).await.map_err(text)?;
        add(&stats.low_stock, dips as u64);
        wake.queue(MAIL_QUEUE);
        wake.queue(WEBHOOK_QUEUE);
        Ok(())
    }

    async fn payments(&self) -> Result<(), String> {
        let Watched { orders, options, stats, wake, .. } = &self.at;
        let overdue = orders.call_off_overdue(&WATCH, options.payment_patience).await.map_err(text)?;
        add(&stats.overdue, overdue as u64);
        wake.queue(PAYMENT_QUEUE);
        Ok(())
    }

    async fn audit(&self) -> Result<(), String> {
        let Watched { repo, clock, options, stats, wake, .. } = &self.at;
        let now = clock.now();
        let wanted =
            VerifyOptions { unsealed_limit: Some(options.unsealed_limit), ..VerifyOptions::default() };
        let report = audit::verify(repo, &WATCH, now, &wanted).await.map_err(text)?;
        let findings = (report.findings.len() as u64).saturating_add(report.more);
        if !report.is_whole() {
            tracing::error!(findings, "the audit trail is not whole");
            audit::alarm(repo, &WATCH, &report, now).await.map_err(text)?;
            wake.queue(MAIL_QUEUE);
        }
        stats.audit_findings.store(findings, Ordering::Relaxed);
        stats.audit_verified_at.store(now.0, Ordering::Relaxed);
        Ok(())
    }

    async fn old(&self) -> Result<(), String> {
        let Watched { accounts, webhooks, reminders, options, stats, .. } = &self.at;
        for _ in 0..PAGES {
            if !accounts.prune().await.map_err(|error: DbError| error.to_string())? {
                break;
            }
        }
        for _ in 0..PAGES {
            let gone = webhooks.prune(&WATCH, options.keep_deliveries).await.map_err(text)?
                + reminders.prune(&WATCH, options.keep_links).await.map_err(text)?;
            add(&stats.pruned, gone);
            if gone == 0 {
                break;
            }
        }
        Ok(())
    }

    async fn guest_carts(&self) -> Result<(), String> {
        let Watched { guest_carts, options, stats, .. } = &self.at;
        let mut sweep = guest_carts.sweep(&WATCH, options.keep_guest_carts).await.map_err(text)?;
        while let Some(gone) = sweep.page().await.map_err(text)? {
            add(&stats.guest_carts, gone);
        }
        Ok(())
    }
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

impl Worker for Watch {
    fn name(&self) -> &'static str {
        self.look.worker()
    }

    fn run(&self, _: Job) -> BoxFuture<'_, Outcome> {
        Box::pin(async move {
            match self.work().await {
                Ok(()) => Outcome::Done,
                Err(error) => Outcome::Retry(error),
            }
        })
    }

    fn timeout(&self) -> Duration {
        LOOK
    }
}
