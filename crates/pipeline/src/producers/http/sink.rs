//! The port behind the endpoint: where batches become durable.
//!
//! **Invariant.** A sink stores all records of a batch or none.

use std::time::Duration;

use crate::ack::BoxFuture;

/// The records of one request, in order; each is JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The client's `Idempotency-Key`.
    pub key: Option<String>,
    /// JSON texts.
    pub records: Vec<String>,
}

/// Why a batch was not stored.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SinkError {
    /// Too much waits already; the client comes again after this time (429).
    #[error("the backlog is full")]
    Full {
        /// When to try again.
        retry_after: Duration,
    },
    /// One record can't be stored, whatever happens (422).
    #[error("record {place}: {reason}")]
    Refused {
        /// Which one, from 0.
        place: usize,
        /// Why.
        reason: String,
    },
    /// The store is away (503). The reason is logged, not sent.
    #[error("the store is away: {0}")]
    Away(String),
}

/// Stores batches.
pub trait Sink: Send + Sync + 'static {
    /// Stores all of it durably, or nothing. Brought to its end also where the client goes away. A panic counts as
    /// [`SinkError::Away`].
    fn store(&self, posted: Posted) -> BoxFuture<'_, Result<(), SinkError>>;
}
