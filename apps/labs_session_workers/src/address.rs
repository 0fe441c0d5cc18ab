//! Where to send to one life of a worker, and when that is over.
//!
//! **Invariant.** Who hears that a life is gone finds its name free, or with the next life. Until then its address may be in the
//! registry though its mailbox is closed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::{Notify, mpsc, oneshot, watch};

use crate::supervisor::Refused;

/// How far a life has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// It runs.
    Running,
    /// It is over.
    Over,
    /// It never began: its supervisor would not start it.
    Refused(Refused),
    /// It never began: the session could not be opened, and this is why.
    NotOpened(Arc<str>),
}

struct Inner<M> {
    id: u64,
    sender: mpsc::Sender<M>,
    end: watch::Receiver<End>,
    stop: Arc<Notify>,
}

/// One life's address. Cheap to clone.
pub struct Address<M>(Arc<Inner<M>>);

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

/// The other side of an address: what a life runs on, and what its supervisor keeps of it.
pub struct Post<M> {
    pub(crate) mailbox: mpsc::Receiver<M>,
    pub(crate) stop: Arc<Notify>,
    /// Dropped, or told how it ended, when the life is gone and its name is free.
    pub(crate) end: watch::Sender<End>,
}

impl<M> Address<M> {
    /// An address for a life that is to begin. Its mailbox takes messages at once, `capacity` of them.
    pub fn new(capacity: usize) -> (Self, Post<M>) {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let (sender, mailbox) = mpsc::channel(capacity);
        let (ended, end) = watch::channel(End::Running);
        let stop = Arc::new(Notify::new());
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let address = Self(Arc::new(Inner { id, sender, end, stop: stop.clone() }));
        (address, Post { mailbox, stop, end: ended })
    }

    /// What tells lives apart. Never used twice in one program.
    pub fn id(&self) -> u64 {
        self.0.id
    }

    /// Sends a message, waiting for room. Gives it back if the mailbox is closed: it was not looked at then.
    pub async fn send(&self, message: M) -> Result<(), M> {
        self.0.sender.send(message).await.map_err(|closed| closed.0)
    }

    /// Asks for an end in good order: what is queued is answered first.
    pub fn stop(&self) {
        self.0.stop.notify_one();
    }

    /// Waits until the life is gone, and says how it ended.
    pub async fn gone(&self) -> End {
        let mut end = self.0.end.clone();
        match end.wait_for(|end| *end != End::Running).await {
            Ok(end) => end.clone(),
            // Its supervisor has dropped it without a word.
            Err(_) => End::Over,
        }
    }
}

/// The right to answer one call. It travels inside the message.
pub struct Reply<R>(oneshot::Sender<R>);

impl<R> Reply<R> {
    /// The two ends of one answer.
    pub fn channel() -> (Self, oneshot::Receiver<R>) {
        let (sender, answer) = oneshot::channel();
        (Self(sender), answer)
    }

    /// Answers the caller. One who has lost patience and left is none of the worker's business.
    pub fn send(self, answer: R) {
        let _ = self.0.send(answer);
    }
}
