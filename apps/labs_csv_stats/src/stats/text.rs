//! Texts of any length in a constant size, and their hash.
//!
//! **Invariant.** Cutting keeps the order: if `a <= b`, then cut `a` <= cut `b`. So the least of the cut texts is the least text,
//! cut.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

/// Bytes that are kept of a text.
pub const LONGEST_TEXT: usize = 62;

/// The first [`LONGEST_TEXT`] bytes of a text, without an allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Text {
    bytes: [u8; LONGEST_TEXT],
    length: u8,
    cut: bool,
}

impl Text {
    /// Keeps what fits of `text`.
    #[inline]
    pub fn new(text: &[u8]) -> Self {
        let kept = text.len().min(LONGEST_TEXT);
        let mut bytes = [0; LONGEST_TEXT];
        bytes[..kept].copy_from_slice(&text[..kept]);
        Self { bytes, length: u8::try_from(kept).unwrap_or(u8::MAX), cut: kept < text.len() }
    }

    /// What was kept.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..usize::from(self.length)]
    }

    /// How it compares with a text that has not been cut yet, whose [`head`] is at hand.
    #[inline]
    pub fn compare(&self, head: u64, text: &[u8]) -> Ordering {
        let [b0, b1, b2, b3, b4, b5, b6, b7, ..] = self.bytes;
        u64::from_be_bytes([b0, b1, b2, b3, b4, b5, b6, b7]).cmp(&head).then_with(|| self.compare_all(text))
    }

    /// Whether it is this text, and all of it.
    #[inline]
    pub fn is(&self, text: &[u8]) -> bool {
        usize::from(self.length) == text.len() && self.as_bytes() == text && !self.cut
    }

    /// Whether it is what would be kept of this text.
    #[inline]
    pub fn starts(&self, text: &[u8]) -> bool {
        self.as_bytes() == &text[..text.len().min(LONGEST_TEXT)] && self.cut == (text.len() > LONGEST_TEXT)
    }

    fn compare_all(&self, text: &[u8]) -> Ordering {
        let kept = &text[..text.len().min(LONGEST_TEXT)];
        self.as_bytes().cmp(kept).then(self.cut.cmp(&(kept.len() < text.len())))
    }

    /// For people: what was kept, with a mark where the rest is missing.
    pub fn show(&self) -> Cow<'_, str> {
        let text = String::from_utf8_lossy(self.as_bytes());
        if self.cut { Cow::Owned(format!("{}…", text.trim_end_matches('\u{fffd}'))) } else { text }
    }
}

impl Ord for Text {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_bytes().cmp(other.as_bytes()).then(self.cut.cmp(&other.cut))
    }
}

impl PartialOrd for Text {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The first eight bytes of a text as a number, zeros where it has fewer: texts are in the order of their heads, and only texts with
/// the same head have to be looked at any further.
#[inline]
pub fn head(text: &[u8]) -> u64 {
    if let Some(first) = text.first_chunk() {
        return u64::from_be_bytes(*first);
    }
    if let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) {
        // Four to seven bytes: the two halves overlap, and agree where they do.
        let (first, last) = (u32::from_be_bytes(*first), u32::from_be_bytes(*last));
        return (u64::from(first) << 32) | (u64::from(last) << (64 - 8 * text.len()));
    }
    text.iter().rev().fold(0, |head, &byte| (head >> 8) | (u64::from(byte) << 56))
}

/// 64 well-mixed bits of a text: the same in every summary, or they could not be merged.
#[inline]
pub fn hash(text: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0x00c0_ffee).build_hasher();
    hasher.write(text);
    hasher.finish()
}
