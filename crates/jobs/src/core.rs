//! What the tasks of one engine share.
//!
//! **Invariant.** It is made once, when the engine starts; only counters, settings and the list of held jobs change.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use sea_orm::DbErr;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::cron::Cron;
use crate::held::Held;
use crate::observe::{Event, Observer, Setting};
use crate::options::Options;
use crate::stats::{Stats, add};
use crate::store::Store;
use crate::worker::Worker;

pub(crate) struct Core {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: Options,
    /// The unique name that fences this engine's acknowledgements.
    pub(crate) node: String,
    pub(crate) workers: HashMap<&'static str, Arc<dyn Worker>>,
    pub(crate) crons: Vec<Cron>,
    pub(crate) observers: Vec<Arc<dyn Observer>>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) held: Held,
    /// What each served queue's row says; its loop follows it.
    pub(crate) settings: HashMap<String, watch::Sender<Setting>>,
    /// The engine is cut off: nothing is begun any more, nothing is given back.
    pub(crate) dead: CancellationToken,
    /// When a statement failed last, by the engine's clock.
    failed_at: AtomicI64,
}

impl Core {
    pub(crate) fn new(
        store: Arc<dyn Store>,
        options: Options,
        workers: HashMap<&'static str, Arc<dyn Worker>>,
        crons: Vec<Cron>,
        observers: Vec<Arc<dyn Observer>>,
        stats: Arc<Stats>,
        queues: impl Iterator<Item = String>,
    ) -> Self {
        // Only what is safe inside a JSON text and a notification goes into the name.
        let name: String =
            options.node.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.:@".contains(*c)).collect();
        Self {
            node: format!("{name}-{:08x}", rand::random::<u32>()),
            settings: queues.map(|queue| (queue, watch::Sender::new(Setting::default()))).collect(),
            store,
            options,
            workers,
            crons,
            observers,
            stats,
            held: Held::default(),
            dead: CancellationToken::new(),
            failed_at: AtomicI64::new(i64::MIN),
        }
    }

    pub(crate) fn now(&self) -> i64 {
        (self.options.clock)()
    }

    /// The instant, and that of the end of a lease that is taken now.
    pub(crate) fn lease(&self) -> (i64, i64) {
        let now = self.now();
        (now, now.saturating_add(millis(self.options.lease)))
    }

    pub(crate) fn tell(&self, event: &Event<'_>) {
        for observer in &self.observers {
            observer.event(event);
        }
    }

    /// A statement failed: counted, logged with what it was for, and remembered for the rescue.
    pub(crate) fn failed(&self, what: &'static str, error: &DbErr) {
        add(&self.stats.store_errors, 1);
        self.failed_at.store(self.now(), Ordering::Relaxed);
        tracing::warn!(what, %error, "the job table can't be reached; trying again");
    }

    /// Whether lost leases may be rescued now. After a failure of the database every living node needs a moment to
    /// renew its leases; whoever came first would take the others' jobs away and count an attempt for nothing.
    pub(crate) fn may_rescue(&self) -> bool {
        let since = self.now().saturating_sub(self.failed_at.load(Ordering::Relaxed));
        since > millis(self.options.lease)
    }
}

pub(crate) fn millis(time: Duration) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}
