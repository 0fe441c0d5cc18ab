//! Messages out of this process: an iterator, or whoever holds a [`Feed`].
//!
//! **Invariant.** An iterator is advanced only when there is demand; a feed holds no more than its capacity.

use std::future::ready;
use std::sync::Arc;

use tokio::sync::mpsc;

use crate::ack::{Acknowledger, BoxError, Unacknowledged};
use crate::message::Message;
use crate::producer::Producer;

/// The items of an iterator; ends with it. The receipt of each is its place, from 0.
///
/// It is advanced inside the producer's task, so an iterator that blocks (reads a file, say) holds a thread of the
/// runtime: [`files`](crate::producers) reads files.
pub struct Items<I> {
    iter: I,
    place: u64,
    source: Arc<dyn Acknowledger>,
}

impl<I: Iterator> Items<I> {
    /// Nobody is told of their end.
    pub fn new(items: impl IntoIterator<IntoIter = I>) -> Self {
        Self::acknowledged(items, &(Arc::new(Unacknowledged) as Arc<dyn Acknowledger>))
    }

    /// `source` is told of their end.
    pub fn acknowledged(items: impl IntoIterator<IntoIter = I>, source: &Arc<dyn Acknowledger>) -> Self {
        Self { iter: items.into_iter(), place: 0, source: Arc::clone(source) }
    }
}

impl<I> Producer for Items<I>
where
    I: Iterator + Send + 'static,
    I::Item: Send + 'static,
{
    type Item = I::Item;

    fn produce(
        &mut self,
        demand: usize,
    ) -> impl Future<Output = Result<Option<Vec<Message<I::Item>>>, BoxError>> + Send {
        let mut chunk = Vec::with_capacity(demand);
        for data in self.iter.by_ref().take(demand) {
            chunk.push(Message::new(data, &self.source, self.place));
            self.place += 1;
        }
        ready(Ok(if chunk.is_empty() { None } else { Some(chunk) }))
    }

    fn name(&self) -> &'static str {
        "items"
    }
}

impl<I> std::fmt::Debug for Items<I> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Items").field("place", &self.place).finish_non_exhaustive()
    }
}

/// A producer whose messages come from other tasks; ends when all its [`Feed`]s are dropped. What waits in it is lost
/// with the process: for more than that there is the outbox.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let (feed, fed) = pipeline::producers::feed::<u32>(1_000);
/// feed.send(7).await.unwrap();
/// # drop(fed);
/// # });
/// ```
pub fn feed<T: Send + 'static>(capacity: usize) -> (Feed<T>, Fed<T>) {
    let (sender, receiver) = mpsc::channel(capacity.max(1));
    (Feed(sender), Fed { receiver, place: 0, source: Arc::new(Unacknowledged) })
}

/// The pipeline takes no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pipeline behind this feed takes no more messages: it drains or has ended")]
pub struct FeedClosed;

/// Where messages are put in.
#[derive(Debug)]
pub struct Feed<T>(mpsc::Sender<T>);

impl<T> Clone for Feed<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T> Feed<T> {
    /// Waits for room.
    pub async fn send(&self, data: T) -> Result<(), FeedClosed> {
        self.0.send(data).await.map_err(|_| FeedClosed)
    }

    /// Puts it in if there is room; gives it back if not.
    pub fn offer(&self, data: T) -> Result<(), T> {
        self.0.try_send(data).map_err(mpsc::error::TrySendError::into_inner)
    }
}

/// The producer behind a [`Feed`].
#[derive(Debug)]
pub struct Fed<T> {
    receiver: mpsc::Receiver<T>,
    place: u64,
    source: Arc<dyn Acknowledger>,
}

impl<T: Send + 'static> Producer for Fed<T> {
    type Item = T;

    async fn produce(&mut self, demand: usize) -> Result<Option<Vec<Message<T>>>, BoxError> {
        let mut items = Vec::with_capacity(demand.min(self.receiver.len()).max(1));
        // Takes nothing where it is dropped.
        if self.receiver.recv_many(&mut items, demand).await == 0 {
            return Ok(None);
        }
        let first = self.place;
        self.place += items.len() as u64;
        Ok(Some((first..).zip(items).map(|(place, data)| Message::new(data, &self.source, place)).collect()))
    }

    fn name(&self) -> &'static str {
        "feed"
    }
}
