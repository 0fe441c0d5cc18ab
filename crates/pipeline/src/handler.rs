//! What a pipeline does with its messages: the callbacks.
//!
//! **Invariant.** A callback borrows messages and never owns them: whatever it does, each one stays the pipeline's to
//! acknowledge.

use std::future::{Future, ready};

use crate::batch::Batch;
use crate::failure::Failure;
use crate::message::Message;

/// The callbacks of one pipeline. They are called from many tasks at once and share only `&self`.
///
/// A callback that panics or answers `Err` fails what it was given, and nothing else.
///
/// ```
/// use pipeline::{Batch, Failure, Handler, Message};
///
/// struct Prices;
///
/// impl Handler for Prices {
///     type In = String;
///     type Out = u64;
///
///     async fn handle_message(&self, message: &mut Message<String>) -> Result<u64, Failure> {
///         message.data.trim().parse().map_err(|_| Failure::reject("not a number of cents"))
///     }
///
///     async fn handle_batch(&self, batch: &mut Batch<String, u64>) -> Result<(), Failure> {
///         for item in batch.iter_mut().filter(|item| item.data == 0) {
///             item.fail(Failure::reject("nothing is free"));
///         }
///         Ok(())
///     }
/// }
/// ```
pub trait Handler: Send + Sync + 'static {
    /// What the source says.
    type In: Send + 'static;
    /// What a message becomes; `()` where there are no batchers.
    type Out: Send + 'static;

    /// Called once a chunk, before its messages are handled one by one: load here what all of them need. May fail
    /// single messages by [`Message::fail`].
    fn prepare(&self, _chunk: &mut [Message<Self::In>]) -> impl Future<Output = Result<(), Failure>> + Send {
        ready(Ok(()))
    }

    /// Handles one message: validates it, says which batcher and batch key it has.
    fn handle_message(
        &self,
        message: &mut Message<Self::In>,
    ) -> impl Future<Output = Result<Self::Out, Failure>> + Send;

    /// Handles one batch. `Ok` acknowledges all that were not failed one by one ([`BatchItem::fail`]), `Err` fails
    /// all the others too.
    ///
    /// [`BatchItem::fail`]: crate::BatchItem::fail
    fn handle_batch(
        &self,
        _batch: &mut Batch<Self::In, Self::Out>,
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        ready(Ok(()))
    }

    /// The dead-letter hook: called with all that failed in one stage at one time, before their sources are told.
    /// May change what the source is asked to do ([`Failed::failure`]). If it errs or panics, every one of them is to
    /// be delivered again ([`Next::Retry`](crate::Next::Retry)), since nobody has kept it.
    fn handle_failed(
        &self,
        _failed: &mut [Failed<Self::In>],
    ) -> impl Future<Output = Result<(), Failure>> + Send {
        ready(Ok(()))
    }
}

/// A message that failed.
#[derive(Debug)]
pub struct Failed<T> {
    /// The message, with what the source said.
    pub message: Message<T>,
    /// Why, and what the source is asked to do.
    pub failure: Failure,
}
