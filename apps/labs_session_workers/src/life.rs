//! What a session is, and one life of its worker.
//!
//! **Invariant.** A message that was taken in is handled: before a life ends in good order it closes its mailbox, and then empties
//! it. What comes later is given back to its sender.

use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

/// Why a session could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct OpenError(pub Arc<str>);

/// What a worker keeps, and what it does with a message.
pub trait Session: Sized + Send + 'static {
    /// What tells sessions apart.
    type Key: Clone + Eq + Hash + Send + Sync + 'static;
    /// What it can be sent.
    type Message: Send + 'static;
    /// What all sessions share: a store, say.
    type World: Send + Sync + 'static;

    /// Opens it, from a store perhaps. Runs in the worker: who calls meanwhile waits in its mailbox.
    fn open(
        key: &Self::Key,
        world: &Arc<Self::World>,
    ) -> impl Future<Output = Result<Self, OpenError>> + Send;

    /// Handles one message. A panic here ends this life.
    fn handle(&mut self, message: Self::Message) -> impl Future<Output = ()> + Send;

    /// Closes it, into a store perhaps. Only once this is done may the session be opened again. Not called after a crash.
    fn close(self) -> impl Future<Output = ()> + Send {
        std::future::ready(())
    }
}

/// One life of a worker, from its opening to its end.
pub(crate) async fn live<S: Session>(
    key: S::Key,
    world: Arc<S::World>,
    mut mailbox: mpsc::Receiver<S::Message>,
    stop: Arc<Notify>,
    idle: Duration,
) -> Result<(), OpenError> {
    let mut session = S::open(&key, &world).await?;
    //>> live
    //? You were idle for long enough and fall asleep. A message may be coming in at this very moment. Who handles it?
    //? `mailbox.close()` refuses what comes, and keeps what is there.
    loop {
        tokio::select! {
            biased;
            () = stop.notified() => break,
            received = timeout(idle, mailbox.recv()) => match received {
                Ok(Some(message)) => session.handle(message).await,
                // Idle for long enough, or nobody has our address any more.
                Ok(None) | Err(_) => break,
            },
        }
    }
    // First the door, then the room: what was let in is handled, and nobody is let in behind our back.
    mailbox.close();
    while let Some(message) = mailbox.recv().await {
        session.handle(message).await;
    }
    session.close().await;
    Ok(())
    //<<
}
