//! What changed between two renders, as the client's JSON.
//!
//! Invariant: after each message a [`Shadow`] describes exactly what the client holds. It keeps hashes, never
//! text: what a connected page costs does not grow with the length of its texts.

mod encoded;
pub(crate) mod hash;
mod json;
mod parts;
mod path;
mod shadow;
mod tree;
mod words;

pub(crate) use encoded::Encoded;
pub use shadow::{Extras, Frame, NotHeld, Shadow};
