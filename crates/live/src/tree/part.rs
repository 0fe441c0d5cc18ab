//! A piece of markup that need not be rendered where the client holds it already.
//!
//! Invariant: two parts of one key have the same markup.

use super::Rendered;

/// Markup that is made from what its key stands for, and from nothing else: [`Page::part`](crate::Page::part) makes one.
#[derive(Debug, Clone)]
pub struct Part {
    pub(crate) key: u64,
    /// `None`: the client holds it, and it was not rendered.
    pub(crate) markup: Option<Rendered>,
}

impl Part {
    /// A part that was rendered.
    ///
    /// `key` stands for what the markup was made from: see [`Part::key_of`].
    pub fn rendered(key: u64, markup: Rendered) -> Self {
        Self { key, markup: Some(markup) }
    }

    /// A part that the client holds where it is to stand. If it does not, the message can't be written:
    /// [`NotHeld`](crate::diff::NotHeld).
    pub fn held(key: u64) -> Self {
        Self { key, markup: None }
    }

    /// The key of what `render` makes of a value.
    pub fn key_of<K: std::hash::Hash>(of: &K, render: fn(K) -> Rendered) -> u64 {
        use std::hash::BuildHasher;
        crate::diff::hash::state().hash_one((render, of))
    }
}
