//! Where messages come from.
//!
//! **Invariant.** A producer is never asked for more than the pipeline has room for, and never twice at a time.

use std::future::{Future, ready};
use std::time::Duration;

use crate::ack::BoxError;
use crate::message::Message;

/// A source of messages, asked for a number of them at a time.
///
/// ```
/// use std::sync::Arc;
/// use pipeline::{Acknowledger, BoxError, Message, Producer, Unacknowledged};
///
/// /// The numbers from 0 to 999.
/// struct Counter { next: u64, source: Arc<dyn Acknowledger> }
///
/// impl Producer for Counter {
///     type Item = u64;
///
///     async fn produce(&mut self, demand: usize) -> Result<Option<Vec<Message<u64>>>, BoxError> {
///         if self.next == 1_000 {
///             return Ok(None);
///         }
///         let from = self.next;
///         self.next = (from + demand as u64).min(1_000);
///         Ok(Some((from..self.next).map(|n| Message::new(n, &self.source, n)).collect()))
///     }
/// }
/// # let _ = Counter { next: 0, source: Arc::new(Unacknowledged) };
/// ```
pub trait Producer: Send + 'static {
    /// What its messages carry.
    type Item: Send + 'static;

    /// Waits until there is something and answers at most `demand` messages (at least 1); `None`: the source has
    /// ended. An empty list is no error, but it is asked again at once: wait for the next message instead.
    ///
    /// In a drain the call is dropped where it awaits. What it has taken from its source by then and not returned
    /// must be such that the source delivers it again.
    ///
    /// After an error it is called again, with a back-off from 0.1 to 30 s.
    fn produce(
        &mut self,
        demand: usize,
    ) -> impl Future<Output = Result<Option<Vec<Message<Self::Item>>>, BoxError>> + Send;

    /// Called once, after the last `produce` and before anything else of the drain: give back what was taken from the
    /// source and not handed out. Messages that were handed out are still under way.
    fn stop(&mut self) -> impl Future<Output = ()> + Send {
        ready(())
    }

    /// For people: what kind of source it is.
    fn name(&self) -> &'static str {
        "producer"
    }
}

/// How often producers that panic are made anew before the pipeline gives up and drains itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restarts {
    /// How many restarts of one producer are allowed
    pub most: usize,
    /// within this time.
    pub within: Duration,
}

impl Default for Restarts {
    /// Ten within a minute.
    fn default() -> Self {
        Self { most: 10, within: Duration::from_mins(1) }
    }
}
