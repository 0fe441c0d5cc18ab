//! The ways between two stages: one that all consumers take from, or one lane each.
//!
//! **Invariant.** Whatever goes into a lane comes out in order, at one consumer. A way ends when its last sender is
//! gone and it is empty.

use std::sync::Arc;

use tokio::sync::{Mutex, mpsc};

/// The sending side.
#[derive(Clone)]
pub(crate) struct Lanes<T>(Vec<mpsc::Sender<T>>);

/// The receiving side of one consumer.
pub(crate) enum Inbox<T> {
    /// Whoever is free takes the next.
    Shared(Arc<Mutex<mpsc::Receiver<T>>>),
    /// Its own lane.
    Own(mpsc::Receiver<T>),
}

/// Ways to `consumers`; each lane holds `capacity` at most.
pub(crate) fn lanes<T>(consumers: usize, partitioned: bool, capacity: usize) -> (Lanes<T>, Vec<Inbox<T>>) {
    if partitioned {
        let (senders, inboxes) = (0..consumers)
            .map(|_| {
                let (sender, receiver) = mpsc::channel(capacity);
                (sender, Inbox::Own(receiver))
            })
            .unzip();
        return (Lanes(senders), inboxes);
    }
    let (sender, receiver) = mpsc::channel(capacity);
    let receiver = Arc::new(Mutex::new(receiver));
    let inboxes = (0..consumers).map(|_| Inbox::Shared(Arc::clone(&receiver))).collect();
    (Lanes(vec![sender]), inboxes)
}

impl<T> Lanes<T> {
    pub(crate) fn count(&self) -> usize {
        self.0.len()
    }

    /// Waits for room. What nobody takes any more (the pipeline was aborted) is dropped, unacknowledged.
    pub(crate) async fn send(&self, lane: usize, what: T) {
        drop(self.0[lane].send(what).await);
    }
}

impl<T> Inbox<T> {
    pub(crate) async fn next(&mut self) -> Option<T> {
        match self {
            Self::Shared(receiver) => receiver.lock().await.recv().await,
            Self::Own(receiver) => receiver.recv().await,
        }
    }
}

/// The lane of a partition.
pub(crate) fn lane_of(partition: u64, lanes: usize) -> usize {
    usize::try_from(partition % (lanes.max(1) as u64)).unwrap_or(0)
}
