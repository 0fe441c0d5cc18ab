//! How often each key was invalidated, in a fixed amount of memory.
//!
//! **Invariant.** A key's generation never goes down, and each announcement about the key raises it. Keys share
//! counters: a change of one key may raise another's generation too, which costs that one a load and nothing else.

use std::hash::{BuildHasher, Hash};
use std::sync::atomic::{AtomicU64, Ordering};

use foldhash::fast::RandomState;

/// Counters for keys, shared by hash, and one for all keys.
pub(crate) struct Generations {
    hasher: RandomState,
    all: AtomicU64,
    shared: Box<[AtomicU64]>,
}

impl Generations {
    /// With `counters` counters (rounded up to a power of two): 8 bytes each.
    pub(crate) fn new(counters: usize) -> Self {
        let counters = counters.max(1).next_power_of_two();
        Self {
            hasher: RandomState::default(),
            all: AtomicU64::new(0),
            shared: (0..counters).map(|_| AtomicU64::new(0)).collect(),
        }
    }

    /// The key's generation now. Both counters only grow, so their sum changes with each raise of either.
    pub(crate) fn of<K: Hash>(&self, key: &K) -> u64 {
        let own = self.counter(key).load(Ordering::Acquire);
        own.wrapping_add(self.all.load(Ordering::Acquire))
    }

    /// Raises one key's generation and answers the one that it had.
    pub(crate) fn raise<K: Hash>(&self, key: &K) -> u64 {
        let own = self.counter(key).fetch_add(1, Ordering::AcqRel);
        own.wrapping_add(self.all.load(Ordering::Acquire))
    }

    /// Raises every key's generation.
    pub(crate) fn raise_all(&self) {
        self.all.fetch_add(1, Ordering::AcqRel);
    }

    fn counter<K: Hash>(&self, key: &K) -> &AtomicU64 {
        #[expect(clippy::cast_possible_truncation, reason = "only the low bits choose the counter")]
        let hash = self.hasher.hash_one(key) as usize;
        &self.shared[hash & (self.shared.len() - 1)]
    }
}
