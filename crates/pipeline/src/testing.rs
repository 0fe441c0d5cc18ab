//! For tests of one's own handlers: messages whose caller is told of their end.
//!
//! **Invariant.** The caller hears of each message once, or learns that it was dropped; it never waits for one that
//! nobody holds any more.
//!
//! ```
//! # use pipeline::{Failure, Handler, Message, Pipeline};
//! use pipeline::testing::Outcome;
//! # struct Parse;
//! # impl Handler for Parse {
//! #     type In = &'static str;
//! #     type Out = ();
//! #     async fn handle_message(&self, message: &mut Message<&'static str>) -> Result<(), Failure> {
//! #         message.data.parse::<u32>().map(drop).map_err(Failure::reject)
//! #     }
//! # }
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let pipeline = Pipeline::builder(Parse).start().unwrap();
//! let told = pipeline.handle().test_batch(vec!["1", "x"]).await.unwrap();
//! let outcomes = told.all().await;
//! assert_eq!(outcomes[0], Outcome::Done);
//! assert!(matches!(&outcomes[1], Outcome::Failed(failure) if failure.reason().contains("invalid digit")));
//! # });
//! ```

#[cfg(feature = "nats-server")]
pub mod nats_server;

use std::sync::Arc;

use tokio::sync::mpsc;

use crate::ack::{Acknowledger, Acks, BoxError, BoxFuture};
use crate::failure::Failure;

/// How a message ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// Well.
    Done,
    /// It failed.
    Failed(Failure),
    /// It was dropped without an acknowledgement: the pipeline was aborted.
    Dropped,
}

/// One call of acknowledgement, as its caller is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// Places of those that ended well.
    pub done: Vec<u64>,
    /// Places of those that failed.
    pub failed: Vec<(u64, Failure)>,
}

/// Tells whoever has sent messages of their end.
#[derive(Debug)]
struct Caller(mpsc::Sender<Group>);

impl Acknowledger for Caller {
    fn ack<'a>(&'a self, acks: Acks<'a>) -> BoxFuture<'a, Result<(), BoxError>> {
        let group = Group { done: acks.done.to_vec(), failed: acks.failed.to_vec() };
        // There is room for one group a message; a caller that went away does not want to know.
        drop(self.0.try_send(group));
        Box::pin(std::future::ready(Ok(())))
    }
}

/// A source of `messages` messages, and what is told of them. Receipts are to be their places, from 0.
pub fn caller(messages: usize) -> (Arc<dyn Acknowledger>, Told) {
    let (sender, receiver) = mpsc::channel(messages.max(1));
    (Arc::new(Caller(sender)), Told { receiver, messages })
}

/// The ends of messages, as they come.
#[derive(Debug)]
pub struct Told {
    receiver: mpsc::Receiver<Group>,
    messages: usize,
}

impl Told {
    /// The next call of acknowledgement; `None` when nobody holds any of the messages.
    pub async fn next(&mut self) -> Option<Group> {
        self.receiver.recv().await
    }

    /// Waits for all; by place.
    pub async fn all(mut self) -> Vec<Outcome> {
        let mut outcomes = vec![Outcome::Dropped; self.messages];
        let mut put = |place: u64, outcome| {
            if let Some(slot) = usize::try_from(place).ok().and_then(|place| outcomes.get_mut(place)) {
                *slot = outcome;
            }
        };
        while let Some(group) = self.receiver.recv().await {
            group.done.into_iter().for_each(|place| put(place, Outcome::Done));
            group.failed.into_iter().for_each(|(place, failure)| put(place, Outcome::Failed(failure)));
        }
        outcomes
    }

    /// Waits for the only message, or the first.
    pub async fn one(self) -> Outcome {
        self.all().await.into_iter().next().unwrap_or(Outcome::Dropped)
    }
}
