//! What the shop's side effects count.
//!
//! **Invariant.** Counters only grow; the two gauges of the audit say what the last verification found and when it was.
//! Reading them takes no lock.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// Live counters; read them with [`EffectStats::snapshot`].
#[derive(Debug, Default)]
pub struct EffectStats {
    pub(crate) mails_sent: AtomicU64,
    pub(crate) mails_later: AtomicU64,
    pub(crate) mails_refused: AtomicU64,
    pub(crate) webhooks_delivered: AtomicU64,
    pub(crate) webhooks_failed: AtomicU64,
    pub(crate) webhooks_switched_off: AtomicU64,
    pub(crate) reminders: AtomicU64,
    pub(crate) low_stock: AtomicU64,
    pub(crate) overdue: AtomicU64,
    pub(crate) payments_told_again: AtomicU64,
    pub(crate) pruned: AtomicU64,
    pub(crate) guest_carts: AtomicU64,
    pub(crate) audit_findings: AtomicU64,
    pub(crate) audit_verified_at: AtomicI64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct EffectSnapshot {
    /// Letters that a mailer took.
    pub mails_sent: u64,
    /// Letters that were not taken and go again.
    pub mails_later: u64,
    /// Letters that were refused for good.
    pub mails_refused: u64,
    /// Messages that an endpoint took.
    pub webhooks_delivered: u64,
    /// Attempts at messages that failed.
    pub webhooks_failed: u64,
    /// Endpoints that the shop has switched off.
    pub webhooks_switched_off: u64,
    /// Carts that somebody is reminded of.
    pub reminders: u64,
    /// Products told of because they ran low.
    pub low_stock: u64,
    /// Looks at orders that waited too long for their payment.
    pub overdue: u64,
    /// Answers of the gateway that came by themselves.
    pub payments_told_again: u64,
    /// Old rows that were deleted.
    pub pruned: u64,
    /// Guests' carts that were deleted because they were left alone.
    pub guest_carts: u64,
    /// What the last verification of the audit trail found.
    pub audit_findings: u64,
    /// When that was, in milliseconds since 1970; 0 for never in this process.
    pub audit_verified_at: i64,
}

impl EffectStats {
    /// All counters now, read one after the other.
    pub fn snapshot(&self) -> EffectSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        EffectSnapshot {
            mails_sent: read(&self.mails_sent),
            mails_later: read(&self.mails_later),
            mails_refused: read(&self.mails_refused),
            webhooks_delivered: read(&self.webhooks_delivered),
            webhooks_failed: read(&self.webhooks_failed),
            webhooks_switched_off: read(&self.webhooks_switched_off),
            reminders: read(&self.reminders),
            low_stock: read(&self.low_stock),
            overdue: read(&self.overdue),
            payments_told_again: read(&self.payments_told_again),
            pruned: read(&self.pruned),
            guest_carts: read(&self.guest_carts),
            audit_findings: read(&self.audit_findings),
            audit_verified_at: self.audit_verified_at.load(Ordering::Relaxed),
        }
    }
}

pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}
