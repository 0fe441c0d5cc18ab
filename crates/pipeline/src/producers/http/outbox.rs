//! The outbox as a sink.
//!
//! **Invariant.** A batch is one INSERT. The backlog is looked at once a second and counted on in between, so the bound is
//! overrun by no more than a second's batches of other nodes.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::sink::{Posted, Sink, SinkError};
use crate::ack::BoxFuture;
use crate::producers::outbox::{NewEntry, PutError, Store, Wake, backlog, put_in};

/// How old the known backlog may be.
const FRESH: Duration = Duration::from_secs(1);

/// Puts batches into the outbox.
pub struct OutboxSink {
    store: Arc<dyn Store>,
    topic: String,
    wake: Wake,
    max_backlog: u32,
    known: Mutex<Option<(Instant, u32)>>,
}

impl OutboxSink {
    /// Batches become entries of `topic`; `wake` is that of the producer ([`Outbox::wake`]) if it runs in this process.
    /// With more than `max_backlog` entries waiting, batches are turned away.
    ///
    /// [`Outbox::wake`]: crate::producers::outbox::Outbox::wake
    pub fn new(store: Arc<dyn Store>, topic: impl Into<String>, wake: Wake, max_backlog: u32) -> Self {
        Self { store, topic: topic.into(), wake, max_backlog, known: Mutex::new(None) }
    }

    /// Entries that wait, as far as it is known.
    async fn waiting(&self) -> Result<u32, SinkError> {
        let known = *self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, waiting)) = known
            && at.elapsed() < FRESH
        {
            return Ok(waiting);
        }
        let counted = backlog(&*self.store, &self.topic, self.max_backlog.saturating_add(1)).await;
        let waiting = counted.map_err(|error| SinkError::Away(error.to_string()))?;
        *self.known.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), waiting));
        Ok(waiting)
    }
}

impl Sink for OutboxSink {
    fn store(&self, posted: Posted) -> BoxFuture<'_, Result<(), SinkError>> {
        Box::pin(async move {
            let more = u32::try_from(posted.records.len()).unwrap_or(u32::MAX);
            if self.waiting().await?.saturating_add(more) > self.max_backlog {
                return Err(SinkError::Full { retry_after: FRESH });
            }
            let entry = |(place, record): (usize, String)| match &posted.key {
                Some(key) => NewEntry::new(record).key(format!("{key}/{place}")),
                None => NewEntry::new(record),
            };
            let entries: Vec<NewEntry> = posted.records.into_iter().enumerate().map(entry).collect();
            match put_in(&*self.store, &self.topic, &entries).await {
                Ok(()) => {}
                Err(PutError::Nul { place, .. }) => {
                    return Err(SinkError::Refused { place, reason: "it holds a NUL character".to_owned() });
                }
                Err(error @ PutError::Store { .. }) => return Err(SinkError::Away(error.to_string())),
            }
            if let Some((_, waiting)) = &mut *self.known.lock().unwrap_or_else(PoisonError::into_inner) {
                *waiting = waiting.saturating_add(more);
            }
            self.wake.wake();
            Ok(())
        })
    }
}

impl std::fmt::Debug for OutboxSink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OutboxSink").field("topic", &self.topic).finish_non_exhaustive()
    }
}
