//! The client's half of the diff, for tests: it merges each message and gives the page.
//!
//! Invariant: it follows the rules of the wire and knows nothing of how the server writes a message. What a
//! message names must be there; where it is not, the answer says what is missing.

mod client;
mod markup;
mod rules;
mod streams;

pub use client::{Client, MergeError};
