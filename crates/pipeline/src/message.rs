//! What travels: a datum of the source, who is told of its end, and where it wants to go.
//!
//! **Invariant.** A message is acknowledged exactly once, by the pipeline alone: its receipt can't be taken out or
//! copied from outside.

use std::sync::Arc;

use crate::ack::Acknowledger;
use crate::failure::Failure;

/// Messages of one batcher that have the same key go into the same batch, others don't.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub enum BatchKey {
    /// No key was given: all of these go together.
    #[default]
    None,
    /// A number: an id, a shard.
    Number(u64),
    /// A text: a table's name, a tenant.
    Text(Arc<str>),
}

impl From<u64> for BatchKey {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&str> for BatchKey {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<String> for BatchKey {
    fn from(text: String) -> Self {
        Self::Text(text.into())
    }
}

impl From<Arc<str>> for BatchKey {
    fn from(text: Arc<str>) -> Self {
        Self::Text(text)
    }
}

/// One message. `T` is what the source says.
#[derive(Debug)]
pub struct Message<T> {
    /// What the source said. Kept until the acknowledgement, so that a dead letter can carry it; a handler that has
    /// taken it (`std::mem::take`) has no need of it there.
    pub data: T,
    pub(crate) source: Arc<dyn Acknowledger>,
    /// What the source knows this message by: an offset, a row's number, a slot of its own table.
    pub(crate) receipt: u64,
    /// Set by the dispatcher; 0 where nothing is partitioned.
    pub(crate) partition: u64,
    pub(crate) key: BatchKey,
    pub(crate) batcher: Option<&'static str>,
    /// Its batch is closed behind it.
    pub(crate) flush: bool,
    pub(crate) failure: Option<Failure>,
}

impl<T> Message<T> {
    /// A message whose end `source` is told of under `receipt`. Receipts need not be unique or in order: they are
    /// handed back as they are.
    pub fn new(data: T, source: &Arc<dyn Acknowledger>, receipt: u64) -> Self {
        Self {
            data,
            source: Arc::clone(source),
            receipt,
            partition: 0,
            key: BatchKey::None,
            batcher: None,
            flush: false,
            failure: None,
        }
    }

    /// Sends it to this batcher; without a word it goes to the one that was declared first.
    pub fn put_batcher(&mut self, name: &'static str) {
        self.batcher = Some(name);
    }

    /// Batches it only with messages of the same key.
    pub fn put_batch_key(&mut self, key: impl Into<BatchKey>) {
        self.key = key.into();
    }

    /// Closes its batch behind it: it waits for neither size nor time.
    pub fn flush(&mut self) {
        self.flush = true;
    }

    /// Fails it where it is. A producer does so with what it can't read, so that dirt takes the same way to the dead
    /// letters as everything else; `prepare` with what it knows already. Such a message is not handled any more.
    pub fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
    }

    /// Whether it was failed.
    pub fn is_failed(&self) -> bool {
        self.failure.is_some()
    }

    /// What the source knows it by.
    pub fn receipt(&self) -> u64 {
        self.receipt
    }

    /// Who is told of its end.
    pub(crate) fn into_ack(self) -> (Arc<dyn Acknowledger>, u64) {
        (self.source, self.receipt)
    }
}
