//! A batcher's settings: how large, how old, by which rule a batch may become.
//!
//! **Invariant.** Size, age and the number of waiting items are bounded, whatever the splitter says.

use std::sync::Arc;
use std::time::Duration;

use crate::batch::BatchItem;

/// What a splitter says of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// It belongs into the batch, which stays open.
    No,
    /// It belongs into the batch, which is closed behind it.
    After,
    /// The batch is closed without it; it is the first of the next.
    Before,
}

/// Judges the items of one batch, in order; made anew for each batch.
pub(crate) type Splitter<I, O> = Box<dyn FnMut(&BatchItem<I, O>) -> Cut + Send>;
pub(crate) type MakeSplitter<I, O> = Arc<dyn Fn() -> Splitter<I, O> + Send + Sync>;

/// A named batcher: gathers messages into batches, and the batch processors behind it handle them.
///
/// ```
/// use std::time::Duration;
/// use pipeline::{BatchItem, Batcher, Cut};
///
/// // At most 500 rows, a second, or a megabyte.
/// let batcher: Batcher<String, Vec<u8>> = Batcher::new("store")
///     .size(500)
///     .timeout(Duration::from_secs(1))
///     .concurrency(2)
///     .split(|| {
///         let mut bytes = 0;
///         move |item: &BatchItem<String, Vec<u8>>| {
///             bytes += item.data.len();
///             if bytes > 1_000_000 { Cut::Before } else { Cut::No }
///         }
///     });
/// ```
pub struct Batcher<I, O> {
    pub(crate) name: &'static str,
    pub(crate) size: usize,
    pub(crate) timeout: Duration,
    pub(crate) concurrency: usize,
    pub(crate) waiting: Option<usize>,
    pub(crate) splitter: Option<MakeSplitter<I, O>>,
}

impl<I, O> Batcher<I, O> {
    /// 100 items, a second, one batch processor.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            size: 100,
            timeout: Duration::from_secs(1),
            concurrency: 1,
            waiting: None,
            splitter: None,
        }
    }

    /// How many items a batch has at most.
    #[must_use]
    pub fn size(mut self, items: usize) -> Self {
        self.size = items;
        self
    }

    /// How long the first item of a batch waits at most for the others. No batch is closed by time while all batch
    /// processors are busy: nobody could take it.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How many batches are handled at a time.
    #[must_use]
    pub fn concurrency(mut self, batch_processors: usize) -> Self {
        self.concurrency = batch_processors;
        self
    }

    /// How many items wait in open batches at most (there is one open batch a batch key, and a lane where the
    /// pipeline is partitioned); beyond it the oldest batch goes as it is. Ten times the size unless told.
    #[must_use]
    pub fn max_waiting(mut self, items: usize) -> Self {
        self.waiting = Some(items);
        self
    }

    /// Closes batches by a rule of one's own as well. `make` makes the rule for each new batch, so that it can count.
    #[must_use]
    pub fn split<F>(mut self, make: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: FnMut(&BatchItem<I, O>) -> Cut + Send + 'static,
    {
        self.splitter = Some(Arc::new(move || Box::new(make())));
        self
    }

    pub(crate) fn max_waiting_items(&self) -> usize {
        self.waiting.unwrap_or(self.size.saturating_mul(10)).max(self.size)
    }
}

/// Without `I: Clone`: the rule is shared, not its items.
impl<I, O> Clone for Batcher<I, O> {
    fn clone(&self) -> Self {
        Self { splitter: self.splitter.clone(), ..*self }
    }
}

impl<I, O> std::fmt::Debug for Batcher<I, O> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batcher")
            .field("name", &self.name)
            .field("size", &self.size)
            .field("timeout", &self.timeout)
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}
