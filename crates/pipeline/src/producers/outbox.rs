//! A table as a source, on SQLite and PostgreSQL: what is put in with the business data comes out at least once.
//!
//! **Invariant.** An entry exists exactly if the transaction that put it in was committed, and is there until its
//! acknowledgement. A node that dies loses its leases, never its entries.
//!
//! | idea | here |
//! |---|---|
//! | the table | [`schema::up`], run by the caller's migration |
//! | put in, in the caller's transaction | [`put`] |
//! | taken, in order of number | [`Outbox`], the producer; a lease keeps other nodes away, and is renewed while its messages are under way |
//! | done | deleted, or marked ([`Options::keep`]) |
//! | failed | due again after a back-off; dead after the last attempt or [`Next::Reject`](crate::Next::Reject), see [`dead`] and [`retry`] |
//!
//! One node takes entries in order of their numbers; what failed comes out of order, and several nodes on one topic
//! share it without an order between them. On PostgreSQL a transaction that commits late may show a lower number later.

mod acks;
mod entry;
mod inspect;
pub mod schema;
mod store;
mod table;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sea_orm::DbErr;
use tokio::sync::Notify;
use tokio::time::Instant;

pub use entry::{Entry, NewEntry, PutError, put, put_in};
pub use inspect::{DeadEntry, backlog, dead, prune, retry};
pub use store::Store;

use crate::ack::{Acknowledger, BoxError};
use crate::message::Message;
use crate::producer::Producer;
use acks::OutboxAcks;

/// Tells milliseconds since 1970.
pub type Clock = Arc<dyn Fn() -> i64 + Send + Sync>;

/// How an outbox works.
#[derive(Clone)]
pub struct Options {
    /// How long an entry belongs to a node that is silent. Renewed three times in this time.
    pub lease: Duration,
    /// How often to look for entries that nobody announced, for due retries and for lost leases.
    pub poll: Duration,
    /// How often an entry is tried before it is dead.
    pub max_attempts: u32,
    /// How long to wait after the first failure; doubled with each, up to
    pub retry_first: Duration,
    /// this long.
    pub retry_most: Duration,
    /// Whether done entries are marked and kept until [`prune`], instead of deleted.
    pub keep: bool,
    /// Which time it is.
    pub clock: Clock,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lease: Duration::from_secs(30),
            poll: Duration::from_secs(1),
            max_attempts: 20,
            retry_first: Duration::from_secs(1),
            retry_most: Duration::from_hours(1),
            keep: false,
            clock: Arc::new(system_now),
        }
    }
}

impl std::fmt::Debug for Options {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Options")
            .field("lease", &self.lease)
            .field("keep", &self.keep)
            .finish_non_exhaustive()
    }
}

fn system_now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    millis(since)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Tells the outbox of this process that there is something; call it after the commit. A call too many is harmless, a
/// missing one costs at most [`Options::poll`].
#[derive(Debug, Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// There is something.
    pub fn wake(&self) {
        self.0.notify_one();
    }
}

/// The entries of one topic, as a producer.
pub struct Outbox {
    topic: String,
    acks: Arc<OutboxAcks>,
    /// The same, as messages know it.
    source: Arc<dyn Acknowledger>,
    wake: Wake,
    /// The highest number taken: what is below is under way, waits for a retry, or was committed late, and is looked
    /// for only once a poll.
    seen: i64,
    swept: Option<Instant>,
    renewing: bool,
}

impl Outbox {
    /// The entries of a topic.
    pub fn new(store: Arc<dyn Store>, topic: impl Into<String>, options: Options) -> Self {
        // Another process, and this one after a restart, is another node.
        let node = format!("{:016x}", rand::random::<u64>());
        let topic = topic.into();
        let acks = Arc::new(OutboxAcks::new(store, topic.clone(), node, options));
        let source = Arc::clone(&acks) as Arc<dyn Acknowledger>;
        Self { topic, acks, source, wake: Wake::default(), seen: 0, swept: None, renewing: false }
    }

    /// Where this process says that it has put something in.
    pub fn wake(&self) -> Wake {
        self.wake.clone()
    }

    async fn take(&mut self, demand: usize) -> Result<Vec<Entry>, DbErr> {
        let (store, options) = (&*self.acks.store, &self.acks.options);
        let due = self.swept.is_none_or(|swept| swept.elapsed() >= options.poll);
        if due {
            self.swept = Some(Instant::now());
        }
        let above = if due { 0 } else { self.seen };
        loop {
            let now = (options.clock)();
            let until = now.saturating_add(millis(options.lease));
            let entries = table::take(store, &self.topic, &self.acks.node, above, demand, now, until).await?;
            let Some(last) = entries.last() else { return Ok(entries) };
            self.seen = self.seen.max(last.id);
            // What this node has in hand and let run out (the database was away) is under its lease again, and not
            // given twice.
            let new = self.acks.admit(entries);
            if !new.is_empty() {
                return Ok(new);
            }
        }
    }
}

impl Producer for Outbox {
    type Item = Entry;

    async fn produce(&mut self, demand: usize) -> Result<Option<Vec<Message<Entry>>>, BoxError> {
        if !self.renewing {
            self.renewing = true;
            acks::renew(&self.acks);
        }
        loop {
            let entries = self.take(demand).await?;
            if !entries.is_empty() {
                let message = |entry: Entry| {
                    let id = u64::try_from(entry.id).unwrap_or(0);
                    Message::new(entry, &self.source, id)
                };
                return Ok(Some(entries.into_iter().map(message).collect()));
            }
            tokio::select! {
                // A call that came during the look is kept for us.
                () = self.wake.0.notified() => {}
                () = tokio::time::sleep(self.acks.options.poll) => {}
            }
        }
    }

    /// What was taken and not handed out (the drain came in between) is others' at once.
    async fn stop(&mut self) {
        if let Err(error) = self.acks.give_back().await {
            tracing::warn!(topic = self.topic, %error, "entries could not be given back; their lease will end");
        }
    }

    fn name(&self) -> &'static str {
        "outbox"
    }
}

impl std::fmt::Debug for Outbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outbox").field("topic", &self.topic).field("seen", &self.seen).finish_non_exhaustive()
    }
}
