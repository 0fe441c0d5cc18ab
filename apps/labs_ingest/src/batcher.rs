//! Which messages are written together, and when.
//!
//! **Invariant.** A batch keeps the order of its messages and has at most `size` of them; nobody waits in it for longer
//! than `patience`.

use std::time::Duration;

use tokio::time::Instant;

/// Holds what comes until it is worth a write. Time comes in as an argument: it has no clock.
///
/// ```
/// # use std::time::Duration;
/// use labs_ingest::batcher::Batcher;
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (now, second) = (tokio::time::Instant::now(), Duration::from_secs(1));
/// let mut batcher = Batcher::new(2, second);
/// assert_eq!(batcher.push('a', now), None);
/// assert_eq!(batcher.push('b', now), Some(vec!['a', 'b']));
/// assert_eq!(batcher.push('c', now), None);
/// assert_eq!(batcher.due(), Some(now + second));
/// assert_eq!(batcher.tick(now + second), Some(vec!['c']));
/// # });
/// ```
#[derive(Debug)]
pub struct Batcher<T> {
    size: usize,
    patience: Duration,
    held: Vec<T>,
    due: Option<Instant>,
}

impl<T> Batcher<T> {
    /// Batches of at most `size` messages (at least one), the first of which waits at most `patience`.
    pub fn new(size: usize, patience: Duration) -> Self {
        Self { size: size.max(1), patience, held: Vec::new(), due: None }
    }

    /// Adds one; the batch, if it is full now.
    pub fn push(&mut self, item: T, now: Instant) -> Option<Vec<T>> {
        //>> push
        //? Whose waiting does `due` limit: that of the first message of the batch, or that of the last?
        //? When is a batch full?
        if self.due.is_none() {
            // A patience that goes beyond the end of time never runs out.
            self.due = now.checked_add(self.patience);
        }
        self.held.push(item);
        if self.held.len() >= self.size { self.flush() } else { None }
        //<<
    }

    /// The batch, if its time has come.
    pub fn tick(&mut self, now: Instant) -> Option<Vec<T>> {
        //>> tick
        //? On a quiet day two messages come, and the size is a hundred. Who writes them?
        if self.due.is_some_and(|due| due <= now) { self.flush() } else { None }
        //<<
    }

    /// When [`tick`](Self::tick) has something to do; `None` while nothing is held.
    pub fn due(&self) -> Option<Instant> {
        self.due
    }

    /// What is held, however little.
    pub fn flush(&mut self) -> Option<Vec<T>> {
        self.due = None;
        let batch = std::mem::take(&mut self.held);
        (!batch.is_empty()).then_some(batch)
    }
}
