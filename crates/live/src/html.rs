//! Markup from values: escaping, attributes, addresses.
//!
//! Invariant: nothing becomes markup unescaped but by a type that says so.

mod escape;

pub use escape::{escape, escape_into};
