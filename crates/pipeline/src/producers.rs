//! Ready-made producers; those that need more than tokio are behind a feature each.
//!
//! **Invariant.** Each reads its source no faster than it is asked, and forgets nothing that it was not told of.

#[cfg(feature = "files")]
pub mod files;
#[cfg(feature = "http")]
pub mod http;
mod memory;
#[cfg(feature = "nats")]
pub mod nats;
#[cfg(feature = "outbox")]
pub mod outbox;

pub use memory::{Fed, Feed, FeedClosed, Items, feed};
