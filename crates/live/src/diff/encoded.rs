//! Markup as the client's JSON, apart from the message that it will be in.
//!
//! Invariant: written into a message, it is byte for byte what the tree's own writer would write there. Of a template only
//! the number differs from message to message, so that is left open.

use super::json;
use super::shadow::NotHeld;
use super::tree::Tree;
use crate::tree::{Rendered, Template};

/// Nested markup, written.
#[derive(Debug)]
pub(crate) struct Encoded {
    json: Box<[u8]>,
    /// Where in the JSON the number of which template is to stand.
    numbers: Box<[(usize, &'static Template)]>,
    /// What remembers it.
    words: Box<[u64]>,
}

impl Encoded {
    /// Writes the markup. O(its size).
    pub(crate) fn of(markup: &Rendered) -> Result<Self, NotHeld> {
        let mut json = Vec::new();
        let mut tree = Tree::apart(&mut json);
        tree.whole_nested(markup);
        let numbers = tree.numbers();
        let words = tree.into_words()?;
        Ok(Self { json: json.into(), numbers, words })
    }

    pub(super) fn words(&self) -> &[u64] {
        &self.words
    }

    /// Writes it into a message; `number` gives a template's number there.
    pub(super) fn write(&self, mut number: impl FnMut(&'static Template) -> usize, out: &mut Vec<u8>) {
        let mut from = 0;
        for (at, template) in &self.numbers {
            out.extend_from_slice(&self.json[from..*at]);
            json::number(number(template), out);
            from = *at;
        }
        out.extend_from_slice(&self.json[from..]);
    }
}
