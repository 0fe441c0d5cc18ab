//! Names for workers.
//!
//! **Invariant.** A key has at most one entry, and an entry has one [`Name`]: whoever holds it decides when the key is free.
//! Taking a key and finding it taken is one step.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::address::Address;

type Names<K, M> = HashMap<K, Address<M>>;

/// A map from keys to addresses. Cheap to clone; clones are the same registry.
///
/// One lock is enough for a lab: a lookup holds it for a hash and a clone. Where every processor looks names up all the time, the map is
/// the thing to replace: by shards, or by a concurrent one.
pub struct Registry<K, M> {
    names: Arc<RwLock<Names<K, M>>>,
}

impl<K, M> Clone for Registry<K, M> {
    fn clone(&self) -> Self {
        Self { names: self.names.clone() }
    }
}

impl<K: Clone + Eq + Hash, M> Default for Registry<K, M> {
    fn default() -> Self {
        Self { names: Arc::default() }
    }
}

impl<K, M> Registry<K, M> {
    fn read(&self) -> RwLockReadGuard<'_, Names<K, M>> {
        // A key's own code (`Hash`, `Eq`) may panic under this lock, but then nothing was changed.
        self.names.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Names<K, M>> {
        self.names.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Clone + Eq + Hash, M> Registry<K, M> {
    /// The address under a key. Its life may be over already: see [`Address::gone`]. O(1).
    pub fn whereis(&self, key: &K) -> Option<Address<M>> {
        self.read().get(key).cloned()
    }

    /// Takes a key for an address, or says who has it. O(1).
    pub fn claim(&self, key: &K, address: &Address<M>) -> Result<Name<K, M>, Address<M>> {
        //>> claim
        //? A thousand callers find a key free at the same moment. How many of them may start a worker?
        match self.write().entry(key.clone()) {
            Entry::Occupied(taken) => Err(taken.get().clone()),
            Entry::Vacant(free) => {
                free.insert(address.clone());
                Ok(Name { registry: self.clone(), key: key.clone(), id: address.id() })
            }
        }
        //<<
    }

    /// How many names there are.
    pub fn len(&self) -> usize {
        self.read().len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.read().is_empty()
    }

    /// Takes a key from whoever has it, as for a worker that is stuck. Its [`Name`] is good for nothing then.
    pub fn evict(&self, key: &K) -> Option<Address<M>> {
        self.write().remove(key)
    }
}

/// The right to a key. Dropping it frees the key, so no end of its holder can leave the entry behind.
pub struct Name<K: Clone + Eq + Hash, M> {
    registry: Registry<K, M>,
    key: K,
    /// Of the address that the entry has, as far as we know.
    id: u64,
}

impl<K: Clone + Eq + Hash, M> Name<K, M> {
    /// The key.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// Puts the next life's address in place of the former one's: the key is never free in between. False if the key was taken
    /// away meanwhile.
    pub fn renew(&mut self, address: &Address<M>) -> bool {
        let mut names = self.registry.write();
        match names.get_mut(&self.key) {
            Some(entry) if entry.id() == self.id => {
                *entry = address.clone();
                self.id = address.id();
                true
            }
            _ => false,
        }
    }

    fn release(&self) {
        //>> release
        //? May the entry under your key be somebody else's by now?
        let mut names = self.registry.write();
        if names.get(&self.key).is_some_and(|entry| entry.id() == self.id) {
            names.remove(&self.key);
        }
        //<<
    }
}

impl<K: Clone + Eq + Hash, M> Drop for Name<K, M> {
    fn drop(&mut self) {
        self.release();
    }
}
