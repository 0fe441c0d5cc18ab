//! What goes to the client for one message.
//!
//! Invariant: what goes before stays before: components of streams, then a patch, then the diff.

use bytes::Bytes;

use crate::diff::{Extras, Frame, NotHeld, Shadow};
use crate::live::Inner;

/// What goes to the client for one message: what goes before, pushes, then the answer.
#[derive(Default, Debug)]
pub(crate) struct Frames {
    /// Components within entries of streams: the client overlooks them in a message that changes the view's own markup.
    pub(crate) before: Option<Diff>,
    pub(crate) pushes: Vec<(&'static str, String)>,
    pub(crate) outcome: Outcome,
}

/// What a message has led to.
#[derive(Default, Debug)]
pub(crate) enum Outcome {
    /// Nothing to show: `{}` to a push.
    #[default]
    Nothing,
    Diff(Diff),
    /// The address is of another view: the client has to join that.
    LinkRedirect,
}

/// A diff as it was written: behind the words that make it an answer, so that neither form is copied.
#[derive(Debug)]
pub(crate) struct Diff(Bytes);

impl Diff {
    const BEFORE: &[u8] = b"{\"diff\":";

    /// Writes what differs from the last message, and counts it; nothing if nothing does.
    pub(crate) fn write(
        shadow: &mut Shadow,
        frame: &Frame<'_>,
        extras: &Extras<'_>,
        live: &Inner,
    ) -> Result<Option<Self>, NotHeld> {
        let mut diff = Vec::with_capacity(256);
        diff.extend_from_slice(Self::BEFORE);
        if !shadow.diff(frame, extras, &mut diff)? {
            return Ok(None);
        }
        live.counters.diffs.one();
        live.counters.diff_bytes.add((diff.len() - Self::BEFORE.len()) as u64);
        diff.push(b'}');
        Ok(Some(Self(diff.into())))
    }

    /// For a push of the event `diff`.
    pub(crate) fn push(self) -> Bytes {
        self.0.slice(Self::BEFORE.len()..self.0.len() - 1)
    }

    /// For the answer to a push.
    pub(crate) fn answer(self) -> Bytes {
        self.0
    }
}
