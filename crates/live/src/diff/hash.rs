//! The hash that stands for a text.

use std::hash::BuildHasher;
use std::sync::OnceLock;

use foldhash::quality::RandomState;

/// The process's hash function. Its seed is random, so nobody can choose texts that collide.
pub(crate) fn state() -> &'static RandomState {
    static STATE: OnceLock<RandomState> = OnceLock::new();
    STATE.get_or_init(RandomState::default)
}

/// The hash of a text, without its two lowest bits: there a word keeps its kind.
pub(crate) fn text(text: &str) -> u64 {
    state().hash_one(text) & !0b11
}
