//! A batch, as its handler sees it.
//!
//! **Invariant.** Items can be failed, not removed: every one of them is acknowledged with its batch.

use crate::failure::Failure;
use crate::message::{BatchKey, Message};

/// Why a batch was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Trigger {
    /// It has as many items as a batch may have.
    Size,
    /// Its first item has waited long enough.
    Timeout,
    /// The splitter said so.
    Split,
    /// An item asked for it ([`Message::flush`]).
    Flush,
    /// Too many items wait in open batches: the oldest batch goes.
    Pressure,
    /// The pipeline drains, or its sources have ended.
    Drain,
}

impl Trigger {
    /// Every trigger, in the order of [`BatcherStats::triggers`](crate::BatcherStats::triggers).
    pub const ALL: [Self; 6] =
        [Self::Size, Self::Timeout, Self::Split, Self::Flush, Self::Pressure, Self::Drain];

    /// Its name, for labels of metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Timeout => "timeout",
            Self::Split => "split",
            Self::Flush => "flush",
            Self::Pressure => "pressure",
            Self::Drain => "drain",
        }
    }
}

/// One message of a batch.
#[derive(Debug)]
pub struct BatchItem<I, O> {
    /// What `handle_message` made of it.
    pub data: O,
    pub(crate) message: Message<I>,
}

impl<I, O> BatchItem<I, O> {
    /// What the source said.
    pub fn input(&self) -> &I {
        &self.message.data
    }

    /// Fails this item and no other.
    pub fn fail(&mut self, failure: Failure) {
        self.message.fail(failure);
    }

    /// Whether it was failed.
    pub fn is_failed(&self) -> bool {
        self.message.is_failed()
    }
}

/// Messages of one batcher, one batch key and, where the pipeline is partitioned, one lane.
#[derive(Debug)]
pub struct Batch<I, O> {
    pub(crate) items: Vec<BatchItem<I, O>>,
    pub(crate) batcher: &'static str,
    pub(crate) key: BatchKey,
    /// Which batch processor has it, where the pipeline is partitioned.
    pub(crate) lane: usize,
    pub(crate) trigger: Trigger,
}

impl<I, O> Batch<I, O> {
    /// Which batcher made it.
    pub fn batcher(&self) -> &'static str {
        self.batcher
    }

    /// The key that all of its items have.
    pub fn key(&self) -> &BatchKey {
        &self.key
    }

    /// Why it was closed.
    pub fn trigger(&self) -> Trigger {
        self.trigger
    }

    /// How many items it has; never none.
    pub fn len(&self) -> usize {
        self.items.len()
    }

    /// Never: an empty batch is not handled.
    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// The items, in order of arrival.
    pub fn items(&self) -> &[BatchItem<I, O>] {
        &self.items
    }

    /// The items, in order of arrival.
    pub fn iter(&self) -> std::slice::Iter<'_, BatchItem<I, O>> {
        self.items.iter()
    }

    /// The items, to be failed or to have their data taken.
    pub fn iter_mut(&mut self) -> std::slice::IterMut<'_, BatchItem<I, O>> {
        self.items.iter_mut()
    }
}

impl<'a, I, O> IntoIterator for &'a Batch<I, O> {
    type Item = &'a BatchItem<I, O>;
    type IntoIter = std::slice::Iter<'a, BatchItem<I, O>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<'a, I, O> IntoIterator for &'a mut Batch<I, O> {
    type Item = &'a mut BatchItem<I, O>;
    type IntoIter = std::slice::IterMut<'a, BatchItem<I, O>>;
    fn into_iter(self) -> Self::IntoIter {
        self.iter_mut()
    }
}
