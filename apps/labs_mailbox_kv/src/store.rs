//! What is kept, for whom and until when. Pure: time comes in as an argument.
//!
//! **Invariant.** A key is in exactly one entry, in its owner's list if it has an owner, and among the expiries if its time is
//! limited; all three agree. A value lives in `[put, put + ttl)`: at the instant of its expiry it is gone.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

use crate::process::ProcessId;

/// The store has as many keys as it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the store is full: delete keys, or give them less time")]
pub struct Full;

struct Entry<V> {
    value: V,
    owner: Option<ProcessId>,
    expires: Option<Instant>,
}

/// Values under keys, some of them owned, some of them with their days numbered.
pub struct Store<V> {
    entries: HashMap<Arc<str>, Entry<V>>,
    /// The keys of each owner: a dead client's keys are found without a look at all others.
    owned: HashMap<ProcessId, HashSet<Arc<str>>>,
    /// In order of time: the next expiry is the first, and each key is here once at most.
    expiries: BTreeSet<(Instant, Arc<str>)>,
    capacity: usize,
}

impl<V> Store<V> {
    /// An empty store with room for `capacity` keys.
    pub fn new(capacity: usize) -> Self {
        Self { entries: HashMap::new(), owned: HashMap::new(), expiries: BTreeSet::new(), capacity }
    }

    /// Keeps a value under a key, in place of what was there: its value, its owner and its time. O(log n).
    pub fn put(
        &mut self,
        now: Instant,
        key: &str,
        value: V,
        owner: Option<ProcessId>,
        ttl: Option<Duration>,
    ) -> Result<(), Full> {
        //>> put
        //? What must be true of expired keys before you look at the capacity? And of the key itself?
        //? The key may be there already, with another owner and another expiry. Where are they noted?
        self.expire(now);
        if !self.entries.contains_key(key) && self.entries.len() >= self.capacity {
            return Err(Full);
        }
        self.remove(key);
        let key: Arc<str> = key.into();
        // A time that no clock can show is no limit.
        let expires = ttl.and_then(|ttl| now.checked_add(ttl));
        if let Some(expires) = expires {
            self.expiries.insert((expires, key.clone()));
        }
        if let Some(owner) = owner {
            self.owned.entry(owner).or_default().insert(key.clone());
        }
        self.entries.insert(key, Entry { value, owner, expires });
        Ok(())
        //<<
    }

    /// The value under a key, if its time is not over, swept away or not. O(1).
    pub fn get(&self, now: Instant, key: &str) -> Option<&V> {
        let entry = self.entries.get(key)?;
        entry.expires.is_none_or(|expires| now < expires).then_some(&entry.value)
    }

    /// Forgets a key; its value, if there was one. O(log n).
    pub fn remove(&mut self, key: &str) -> Option<V> {
        let (key, entry) = self.entries.remove_entry(key)?;
        if let Some(owner) = entry.owner
            && let Some(keys) = self.owned.get_mut(&owner)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.owned.remove(&owner);
            }
        }
        if let Some(expires) = entry.expires {
            self.expiries.remove(&(expires, key));
        }
        Some(entry.value)
    }

    /// Forgets all keys of an owner that is dead, and says how many. O(k log n) for its k keys.
    pub fn release(&mut self, owner: ProcessId) -> usize {
        let keys = self.owned.remove(&owner).unwrap_or_default();
        keys.iter().filter(|key| self.remove(key).is_some()).count()
    }

    /// Forgets all whose time is over, and says how many. O(k log n) for k of them, O(1) if there are none.
    pub fn expire(&mut self, now: Instant) -> usize {
        let mut gone = 0;
        while self.next_expiry().is_some_and(|expires| expires <= now)
            && let Some((_, key)) = self.expiries.pop_first()
        {
            self.remove(&key);
            gone += 1;
        }
        gone
    }

    /// When the next value expires.
    pub fn next_expiry(&self) -> Option<Instant> {
        self.expiries.first().map(|(expires, _)| *expires)
    }

    /// How many keys are kept, those that have expired since the last sweep included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}
