//! An address for code that is no server: a test, a socket's task, the main function.
//!
//! Invariant: an inbox is a process like any other; dropping it is its normal end.

use std::fmt;
use std::task::Poll;

use crate::addr::Addr;
use crate::exit::Exit;
use crate::life::{Core, Life, Next};

/// The receiving half of an [`inbox`].
pub struct Inbox<M: Send + 'static> {
    life: Life<M>,
}

/// Makes an address and the inbox in which its messages arrive.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (addr, mut inbox) = otp::inbox::<&str>(16);
/// addr.try_cast("hello").unwrap();
/// assert_eq!(inbox.recv().await, Some("hello"));
/// drop(inbox);
/// assert!(addr.try_cast("too late").is_err());
/// # }
/// ```
pub fn inbox<M: Send + 'static>(capacity: u32) -> (Addr<M>, Inbox<M>) {
    let core = Core::new(capacity, None);
    core.mark_ready();
    let mut life = Life::new(core.clone());
    life.exit = Some(Exit::Normal);
    (Addr { core }, Inbox { life })
}

impl<M: Send + 'static> Inbox<M> {
    /// The next message; `None` once somebody has stopped the inbox by its address. Safe to cancel.
    pub async fn recv(&mut self) -> Option<M> {
        let core = &self.life.core;
        let next = std::future::poll_fn(|cx| {
            core.attach(cx.waker());
            if core.is_killed() {
                return Poll::Ready(Next::Stop(Exit::Killed));
            }
            core.poll_next()
        });
        match next.await {
            Next::Message(message) => Some(message),
            Next::Stop(exit) => {
                self.life.exit = Some(exit);
                None
            }
            // An inbox has no idle timer.
            Next::Idle => None,
        }
    }

    /// The next message if there is one now.
    pub fn try_recv(&mut self) -> Option<M> {
        match self.life.core.poll_next() {
            Poll::Ready(Next::Message(message)) => Some(message),
            _ => None,
        }
    }
}

impl<M: Send + 'static> fmt::Debug for Inbox<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Inbox")
    }
}
