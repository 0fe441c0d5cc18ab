//! A mailbox: a queue with a bound, many senders and one receiver.
//!
//! **Invariant.** At most `capacity` messages of senders wait, in the order in which they were sent. Sending never
//! waits. A message that was accepted is received, or dropped with its mailbox; nothing keeps it longer.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use thiserror::Error;
use tokio::sync::Notify;
use tokio::time::{Instant, timeout_at};

/// Makes a mailbox and the address to send to.
///
/// ```
/// # use labs_mailbox_kv::{Received, mailbox};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (address, mut mailbox) = mailbox(2);
/// assert!(address.try_send("first").is_ok());
/// assert!(address.try_send("second").is_ok());
/// assert!(address.try_send("third").is_err(), "there is room for two");
/// assert_eq!(mailbox.receive(None).await, Received::Message("first"));
/// # }
/// ```
pub fn mailbox<M>(capacity: usize) -> (Address<M>, Mailbox<M>) {
    let queue = Mutex::new(Queue { messages: VecDeque::new(), open: true });
    let shared = Arc::new(Shared { queue, bell: Notify::new(), capacity });
    (Address { shared: Arc::downgrade(&shared) }, Mailbox { shared })
}

struct Shared<M> {
    queue: Mutex<Queue<M>>,
    /// Rung for each message and at the close. It keeps one ring for a receiver that does not listen yet.
    bell: Notify,
    capacity: usize,
}

struct Queue<M> {
    messages: VecDeque<M>,
    open: bool,
}

impl<M> Shared<M> {
    fn queue(&self) -> MutexGuard<'_, Queue<M>> {
        // No code that can panic runs under this lock, so a poisoned queue is still a whole queue.
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where to send to. Cheap to clone, and good for nothing once its mailbox is gone.
///
/// It is weak on purpose: the mailbox alone owns what is queued. If addresses owned it too, the messages of a dead
/// server would live as long as anybody knew its address, and the callers in them would wait for an answer.
pub struct Address<M> {
    shared: Weak<Shared<M>>,
}

impl<M> Clone for Address<M> {
    fn clone(&self) -> Self {
        Self { shared: self.shared.clone() }
    }
}

/// Why a message was not accepted. The sender has it back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused<M> {
    /// As many messages wait as there is room for.
    #[error("the mailbox is full")]
    Full(M),
    /// The receiver is gone or takes no more.
    #[error("the mailbox is closed")]
    Closed(M),
}

impl<M> Address<M> {
    /// Puts a message into the mailbox, or says at once why not. O(1), never waits.
    pub fn try_send(&self, message: M) -> Result<(), Refused<M>> {
        //>> try_send
        //? A queue that grows with its senders hides an overload until the memory is gone. Who should hear of it instead?
        //? `self.shared.upgrade()` is `None` when the mailbox is gone.
        let Some(shared) = self.shared.upgrade() else { return Err(Refused::Closed(message)) };
        let mut queue = shared.queue();
        if !queue.open {
            return Err(Refused::Closed(message));
        }
        if queue.messages.len() >= shared.capacity {
            return Err(Refused::Full(message));
        }
        queue.messages.push_back(message);
        drop(queue);
        // After the lock: whoever wakes wants it first.
        shared.bell.notify_one();
        Ok(())
        //<<
    }

    /// Puts a message in beyond the bound. Only for what is bounded by something else, such as one [`Down`] a client:
    /// dropping it would leave a dead client's keys behind for ever.
    ///
    /// [`Down`]: crate::Down
    pub(crate) fn send_beyond_the_bound(&self, message: M) {
        let Some(shared) = self.shared.upgrade() else { return };
        shared.queue().messages.push_back(message);
        shared.bell.notify_one();
    }

    /// Takes no more messages. Those in the queue are still received, then [`Received::Closed`].
    pub fn close(&self) {
        let Some(shared) = self.shared.upgrade() else { return };
        shared.queue().open = false;
        shared.bell.notify_one();
    }

    /// How many messages wait.
    pub fn waiting(&self) -> usize {
        self.shared.upgrade().map_or(0, |shared| shared.queue().messages.len())
    }
}

/// What [`Mailbox::receive`] came back with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Received<M> {
    /// The oldest message.
    Message(M),
    /// Nothing came until the deadline.
    TimedOut,
    /// The mailbox was closed and is empty.
    Closed,
}

/// The receiving end. Dropping it drops what is queued.
pub struct Mailbox<M> {
    shared: Arc<Shared<M>>,
}

impl<M> Mailbox<M> {
    /// Takes the oldest message, waiting for one until `deadline`, or for as long as it takes.
    ///
    /// The deadline is an instant and not a duration. A server that waits "one second from now" before each message
    /// waits for ever under steady traffic; one that waits "until ten past" does not.
    pub async fn receive(&mut self, deadline: Option<Instant>) -> Received<M> {
        //>> receive
        //? Three things can be true at once: a message waits, the mailbox is closed, the deadline has passed. In which
        //? order do you look?
        //? A message may come between your look and your wait. What in `Notify` saves you?
        loop {
            {
                let mut queue = self.shared.queue();
                if let Some(message) = queue.messages.pop_front() {
                    return Received::Message(message);
                }
                if !queue.open {
                    return Received::Closed;
                }
            }
            // A ring between the look above and this wait is kept by the bell.
            let ring = self.shared.bell.notified();
            match deadline {
                None => ring.await,
                Some(deadline) => {
                    if timeout_at(deadline, ring).await.is_err() && self.shared.queue().messages.is_empty() {
                        return Received::TimedOut;
                    }
                }
            }
        }
        //<<
    }
}
