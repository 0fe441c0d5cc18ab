//! What this node has in hand: acknowledged, put off, renewed.
//!
//! **Invariant.** An entry is in hand from its handing out until its acknowledgement is in the table; only what is in
//! hand is renewed, and nothing is handed out that is in hand.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sea_orm::DbErr;
use tokio::time::Instant;

use super::entry::Entry;
use super::store::Store;
use super::table::{self, Failed};
use super::{Options, millis};
use crate::ack::{Acknowledger, Acks, BoxError, BoxFuture};
use crate::failure::{Failure, Next};

pub(super) struct OutboxAcks {
    pub(super) store: Arc<dyn Store>,
    pub(super) topic: String,
    pub(super) node: String,
    pub(super) options: Options,
    /// Number, to which attempt it is.
    held: Mutex<HashMap<i64, u32>>,
}

impl OutboxAcks {
    pub(super) fn new(store: Arc<dyn Store>, topic: String, node: String, options: Options) -> Self {
        Self { store, topic, node, options, held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, HashMap<i64, u32>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn held_ids(&self) -> Vec<i64> {
        self.held().keys().copied().collect()
    }

    /// Notes what is handed out; answers what was not in hand before.
    pub(super) fn admit(&self, mut entries: Vec<Entry>) -> Vec<Entry> {
        let mut held = self.held();
        entries.retain(|entry| match held.entry(entry.id) {
            std::collections::hash_map::Entry::Occupied(_) => false,
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(entry.attempt);
                true
            }
        });
        entries
    }

    pub(super) async fn give_back(&self) -> Result<(), DbErr> {
        let now = (self.options.clock)();
        table::give_back(&*self.store, &self.topic, &self.node, &self.held_ids(), now).await.map(drop)
    }

    fn verdict(&self, id: i64, failure: &Failure, now: i64) -> Failed {
        let attempt = self.held().get(&id).copied().unwrap_or(1);
        // A text that PostgreSQL can hold.
        let reason = failure.reason().replace('\0', "\u{fffd}");
        let due = match failure.next() {
            Next::Reject => None,
            _ if attempt >= self.options.max_attempts => None,
            Next::RetryAfter(delay) => Some(delay),
            Next::Retry => Some(self.backoff(attempt)),
        };
        Failed { id, due: due.map(|delay| now.saturating_add(millis(delay))), reason }
    }

    /// Half of it is drawn, so that entries that failed together come back apart.
    fn backoff(&self, attempt: u32) -> Duration {
        let doubled = 2_u32.saturating_pow(attempt.saturating_sub(1));
        let full = self.options.retry_first.saturating_mul(doubled).min(self.options.retry_most);
        full / 2 + (full / 2).mul_f64(rand::random::<f64>())
    }

    async fn write(&self, done: &[i64], failed: &[Failed]) -> Result<usize, DbErr> {
        let now = (self.options.clock)();
        let keep_at = self.options.keep.then_some(now);
        let mut ended = 0;
        if !done.is_empty() {
            ended += self.patiently(|| table::done(&*self.store, &self.node, done, keep_at)).await?;
        }
        if !failed.is_empty() {
            ended += self.patiently(|| table::failed(&*self.store, &self.node, failed, now)).await?;
        }
        Ok(ended)
    }

    /// Tries for as long as a lease lasts: where the database is away, that costs less than a second delivery.
    async fn patiently<F>(&self, write: impl Fn() -> F) -> Result<usize, DbErr>
    where
        F: Future<Output = Result<usize, DbErr>>,
    {
        let began = Instant::now();
        let mut pause = Duration::from_millis(50);
        loop {
            match write().await {
                Err(error) if began.elapsed() < self.options.lease => {
                    tracing::warn!(topic = self.topic, %error, "acknowledgements can't be written yet");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                written => return written,
            }
        }
    }
}

impl Acknowledger for OutboxAcks {
    fn ack<'a>(&'a self, acks: Acks<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
        Box::pin(async move {
            let id = |receipt: u64| i64::try_from(receipt).unwrap_or(i64::MAX);
            let done: Vec<i64> = acks.done.iter().map(|receipt| id(*receipt)).collect();
            let now = (self.options.clock)();
            let failed: Vec<Failed> =
                acks.failed.iter().map(|(receipt, why)| self.verdict(id(*receipt), why, now)).collect();
            let written = self.write(&done, &failed).await;
            let mut held = self.held();
            for id in done.iter().copied().chain(failed.iter().map(|failed| failed.id)) {
                held.remove(&id);
            }
            drop(held);
            let lost = acks.len().saturating_sub(written?);
            if lost > 0 {
                tracing::warn!(
                    topic = self.topic,
                    lost,
                    "entries were not this node's any more; others have them"
                );
            }
            Ok(())
        })
    }
}

/// Renews what is in hand until nobody holds the acknowledger any more.
pub(super) fn renew(acks: &Arc<OutboxAcks>) {
    let every = acks.options.lease / 3;
    let weak = Arc::downgrade(acks);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(every).await;
            let Some(acks) = weak.upgrade() else { return };
            let held = acks.held_ids();
            if held.is_empty() {
                continue;
            }
            let until = (acks.options.clock)().saturating_add(millis(acks.options.lease));
            if let Err(error) = table::renew(&*acks.store, &acks.node, &held, until).await {
                tracing::warn!(topic = acks.topic, %error, "leases can't be renewed");
            }
        }
    });
}
