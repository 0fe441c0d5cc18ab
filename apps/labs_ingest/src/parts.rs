//! What a pipeline is plugged into: where messages come from, what is done with them, where failed ones go.
//!
//! **Invariant.** A source keeps a message until it is settled. Taking one is a loan.

use std::fmt;

/// A message's name at its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub u64);

/// What a source lends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message<T> {
    /// How its source knows it.
    pub id: MessageId,
    /// What is in it.
    pub item: T,
}

/// Why a message could not be worked on, or a batch not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(pub String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl From<tokio::task::JoinError> for Failure {
    /// The panic's message: a task that panicked has failed as one that said so.
    fn from(lost: tokio::task::JoinError) -> Self {
        let Ok(panic) = lost.try_into_panic() else { return Self("cancelled".to_owned()) };
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
        Self(format!("panicked: {}", text.as_deref().unwrap_or("without a message")))
    }
}

/// Messages that are finished with, to be told to their source in one call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settled {
    /// Written.
    pub done: Vec<MessageId>,
    /// Buried.
    pub failed: Vec<MessageId>,
}

/// Where messages come from.
pub trait Source: Send + Sync + 'static {
    /// What is in a message.
    type Item: Send + 'static;

    /// Waits until there is something, and lends at most so many; none at all means that no more will come. A call that
    /// is dropped has lent nothing.
    fn take(&self, most: usize) -> impl Future<Output = Vec<Message<Self::Item>>> + Send;

    /// Forgets these messages. Those that are never settled are lent again.
    fn settle(&self, settled: Settled);
}

/// What is done with messages.
pub trait Steps<T>: Send + Sync + 'static {
    /// What becomes of a message.
    type Out: Send + 'static;

    /// One message by itself; several at a time.
    fn process(&self, item: T) -> impl Future<Output = Result<Self::Out, Failure>> + Send;

    /// One batch: all of it, or nothing.
    fn write(&self, batch: Vec<Self::Out>) -> impl Future<Output = Result<(), Failure>> + Send;
}

/// Where messages go that can't be worked on, so that a person can look at them.
pub trait DeadLetters: Send + Sync + 'static {
    /// Keeps the message's name and the reason.
    fn bury(&self, id: MessageId, reason: Failure);
}
