//! A small table from a hash to a place in a list.
//!
//! **Invariant.** It is never more than half full, so a search ends at an empty slot after a step or two.

/// Slots; a power of two.
const SLOTS: usize = 1024;

/// Places in a list of at most `SLOTS / 2` entries, by the hash of the entry.
#[derive(Debug, Clone)]
pub(super) struct Slots(Box<[u16; SLOTS]>);

/// No entry.
const NONE: u16 = u16::MAX;

impl Default for Slots {
    fn default() -> Self {
        Self(Box::new([NONE; SLOTS]))
    }
}

impl Slots {
    /// The place of the entry with this hash that `is_it`.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_it: impl Fn(usize) -> bool) -> Option<usize> {
        let mut slot = start(hash);
        loop {
            let place = self.0[slot % SLOTS];
            if place == NONE {
                return None;
            }
            if is_it(usize::from(place)) {
                return Some(usize::from(place));
            }
            slot += 1;
        }
    }

    /// Notes that the entry with this hash, which is new, is at `place`.
    #[inline]
    pub(super) fn insert(&mut self, hash: u64, place: usize) {
        let mut slot = start(hash);
        while self.0[slot % SLOTS] != NONE {
            slot += 1;
        }
        self.0[slot % SLOTS] = u16::try_from(place).unwrap_or(NONE);
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        self.0.fill(NONE);
    }
}

#[inline]
#[expect(clippy::cast_possible_truncation, reason = "ten bits of it are used")]
fn start(hash: u64) -> usize {
    hash as usize % SLOTS
}
