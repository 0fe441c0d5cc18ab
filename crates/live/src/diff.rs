//! What changed between two renders, as the client's JSON.
//!
//! Invariant: after each message a [`Shadow`] describes exactly what the client holds. It keeps hashes, never
//! text: what a connected page costs does not grow with the length of its texts.

pub(crate) mod hash;

use crate::tree::{Cid, Rendered};

/// One render to send: whatever was rendered anew.
///
/// What is left out has not changed. A component that the view shows for the first time must be there.
#[derive(Debug, Clone, Copy, Default)]
pub struct Frame<'a> {
    /// The view's own markup.
    pub root: Option<&'a Rendered>,
    /// The markup of live components, each once.
    pub components: &'a [(Cid, Rendered)],
}

/// What travels beside the markup.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extras<'a> {
    /// The page's new title.
    pub title: Option<&'a str>,
    /// Events for the page's hooks: each a JSON array `[name, payload]`.
    pub events: &'a [String],
    /// The answer to a hook's event: JSON.
    pub reply: Option<&'a str>,
}

/// What the client of one page holds, as hashes.
#[derive(Debug, Default)]
pub struct Shadow {}

impl Shadow {
    /// Writes the first render whole (the `rendered` of the answer to a join), and remembers it.
    pub fn full(_frame: &Frame<'_>, _extras: &Extras<'_>, _out: &mut Vec<u8>) -> Self {
        Self {}
    }

    /// Writes what differs from the last message, and remembers the new state. `{}` if nothing does; the answer
    /// says whether something does.
    pub fn diff(&mut self, _frame: &Frame<'_>, _extras: &Extras<'_>, out: &mut Vec<u8>) -> bool {
        out.extend_from_slice(b"{}");
        false
    }

    /// The client has destroyed these components: if one comes back it is sent whole.
    pub fn forget(&mut self, _cids: &[Cid]) {}

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        0
    }
}
