//! Call and cast: a message that wants an answer, and one that does not.
//!
//! **Invariant.** A call is one message there and one answer back, and it ends: with the answer, or with an error that
//! says whether the server may have done the work.

use std::time::Duration;

use thiserror::Error;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::mailbox::{Address, Refused};

/// The right to answer one call. It travels inside the message.
pub struct Reply<R>(oneshot::Sender<R>);

impl<R> Reply<R> {
    /// The two ends of one answer.
    pub fn channel() -> (Self, oneshot::Receiver<R>) {
        let (sender, answer) = oneshot::channel();
        (Self(sender), answer)
    }

    /// Answers the caller. One who has lost patience and left is none of the server's business.
    pub fn send(self, answer: R) {
        let _ = self.0.send(answer);
    }
}

/// Why a call has no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CallError {
    /// The server's mailbox is full. Nothing was done: try again later, or tell whoever asked you.
    #[error("the server has too many messages waiting; nothing was done")]
    Overloaded,
    /// The server is gone. Nothing was done.
    #[error("the server is not running; nothing was done")]
    NoProc,
    /// The server had the message and ended, or threw the [`Reply`] away. The work may be done or not.
    #[error("the server ended before it answered; the work may be done or not")]
    Died,
    /// The caller's patience is at its end. The work may be done or not, or still be waiting.
    #[error("no answer in time; the work may be done or not")]
    Timeout,
}

impl<M> Address<M> {
    /// Sends a question and waits for its answer, no longer than `patience`, which may be [`Duration::MAX`].
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use labs_mailbox_kv::{Received, Reply, mailbox};
    /// struct Double(u32, Reply<u32>);
    ///
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let (address, mut mailbox) = mailbox(8);
    /// tokio::spawn(async move {
    ///     while let Received::Message(Double(n, reply)) = mailbox.receive(None).await {
    ///         reply.send(2 * n);
    ///     }
    /// });
    /// let answer = address.call(Duration::from_secs(5), |reply| Double(21, reply)).await;
    /// assert_eq!(answer, Ok(42));
    /// # }
    /// ```
    pub async fn call<R>(
        &self,
        patience: Duration,
        message: impl FnOnce(Reply<R>) -> M,
    ) -> Result<R, CallError> {
        //>> call
        //? Four things can happen to a call. Of which do you hear at once, and of which only by waiting?
        //? What do you hold while you wait, and whom does it hold up or keep alive?
        let (reply, answer) = Reply::channel();
        self.try_send(message(reply)).map_err(|refused| match refused {
            Refused::Full(_) => CallError::Overloaded,
            Refused::Closed(_) => CallError::NoProc,
        })?;
        match timeout(patience, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            // The reply was dropped without an answer: the server ended, or forgot it. No need to wait.
            Ok(Err(_)) => Err(CallError::Died),
            Err(_) => Err(CallError::Timeout),
        }
        //<<
    }

    /// Sends a message that has no answer. It was accepted; whether it was carried out, nobody will say.
    pub fn cast(&self, message: M) -> Result<(), Refused<M>> {
        self.try_send(message)
    }
}
