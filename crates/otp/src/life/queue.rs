//! The way of a message: in at the sender's end, out at the server's.
//!
//! Invariant: wakers are called and messages dropped after the lock is released. A sender that waits for room is woken once for
//! each message that is taken, in the order in which they came.

use std::sync::Arc;
use std::task::{Poll, Waker};

use parking_lot::MutexGuard;

use super::{Core, Next, Phase, Refused, State};
use crate::process::{WatchId, quietly};
use crate::timer::IdleTimer;

impl<M: Send + 'static> Core<M> {
    /// Queues a message and returns its number for [`Core::was_taken`].
    pub(crate) fn push(&self, message: M) -> Result<u64, Refused<M>> {
        let (number, waker) = {
            let mut state = self.state.lock();
            if state.phase != Phase::Running {
                return Err(Refused::Closed(message));
            }
            match state.mailbox.push(message) {
                Ok(number) => (number, state.unpark()),
                Err(message) => return Err(Refused::Full(message)),
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(number)
    }

    /// Queues a message of the runtime whatever the capacity says. Lost if the server no longer runs.
    pub(crate) fn push_system(&self, message: M) -> bool {
        let waker = {
            let mut state = self.state.lock();
            if state.phase != Phase::Running {
                drop(state);
                quietly(|| drop(message));
                return false;
            }
            state.mailbox.push_beyond_capacity(message);
            state.unpark()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
        true
    }

    /// Whether the server took the message with this number.
    pub(crate) fn was_taken(&self, number: u64) -> bool {
        self.state.lock().mailbox.taken() > number
    }

    /// Queues a message, or registers the waker to be woken when there may be room.
    pub(crate) fn poll_push(&self, ticket: WatchId, message: M, waker: &Waker) -> Result<(), Refused<M>> {
        let task = {
            let mut state = self.state.lock();
            if state.phase != Phase::Running {
                return Err(Refused::Closed(message));
            }
            match state.mailbox.push(message) {
                Ok(_) => state.unpark(),
                Err(message) => {
                    let senders = &mut state.extra().senders;
                    match senders.iter_mut().find(|(id, _)| *id == ticket) {
                        Some((_, old)) => old.clone_from(waker),
                        None => senders.push_back((ticket, waker.clone())),
                    }
                    return Err(Refused::Full(message));
                }
            }
        };
        if let Some(task) = task {
            task.wake();
        }
        Ok(())
    }

    /// A waiting sender gives up. If it was already woken, its turn goes to the next one.
    pub(crate) fn leave_senders(&self, ticket: WatchId) {
        let next = {
            let mut state = self.state.lock();
            let full = state.mailbox.is_full();
            let Some(extra) = state.extra.as_mut() else { return };
            let before = extra.senders.len();
            extra.senders.retain(|(id, _)| *id != ticket);
            let was_woken = extra.senders.len() == before;
            if was_woken && !full { extra.senders.pop_front() } else { None }
        };
        if let Some((_, waker)) = next {
            waker.wake();
        }
    }

    /// The server's next step: a stop goes before messages, a message before idleness.
    pub(crate) fn poll_next(self: &Arc<Self>) -> Poll<Next<M>> {
        let mut state = self.state.lock();
        if let Some(exit) = &state.exit {
            return Poll::Ready(Next::Stop(exit.clone()));
        }
        if let Some(message) = state.mailbox.pop() {
            Self::taken(state);
            return Poll::Ready(Next::Message(message));
        }
        if std::mem::take(&mut state.idle_due) {
            return Poll::Ready(Next::Idle);
        }
        state.mailbox.rest();
        state.parked = true;
        if let Some(idle) = &mut state.idle {
            idle.rest(|| self.clone());
        }
        Poll::Pending
    }

    /// The next message, if there is one now and it is wanted. Nothing once a stop was asked for.
    pub(crate) fn pop_if(&self, wanted: impl FnOnce(&M) -> bool) -> Option<M> {
        let mut state = self.state.lock();
        if state.exit.is_some() || !state.mailbox.front().is_some_and(wanted) {
            return None;
        }
        let message = state.mailbox.pop();
        Self::taken(state);
        message
    }

    /// What follows from a message that was taken: the server is not idle, and there is room for one more.
    fn taken(mut state: MutexGuard<'_, State<M>>) {
        state.idle_due = false;
        let sender = state.extra.as_mut().and_then(|extra| extra.senders.pop_front());
        if let Some(idle) = &mut state.idle {
            idle.busy();
        }
        drop(state);
        if let Some((_, waker)) = sender {
            waker.wake();
        }
    }

    /// Starts, changes or (with `None`) ends the idle timer.
    pub(crate) fn set_idle(&self, timer: Option<IdleTimer>) {
        let old = {
            let mut state = self.state.lock();
            state.idle_due = false;
            std::mem::replace(&mut state.idle, timer.map(Box::new))
        };
        if let Some(mut old) = old {
            old.cancel();
        }
    }
}
