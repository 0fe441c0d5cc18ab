//! What is counted, and until when. Pure: time comes in as an argument.
//!
//! **Invariant.** A count lives for `ttl` after its last update; at that instant it is gone, swept away or not. Each key that is
//! kept has one entry in the queue of expiries, however often it is updated.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::time::Instant;

/// There are as many counts as there may be. Nothing was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("there are as many counts as there may be; nothing was changed")]
pub struct Full;

/// What an update did to one key: a fact that can be told to others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Whose count.
    pub key: Arc<str>,
    /// Its value from now on.
    pub value: u64,
    /// When it ends, unless it is updated again.
    pub expires: Instant,
}

#[derive(Clone, Copy)]
struct Count {
    value: u64,
    expires: Instant,
}

/// Counts by key.
pub struct Counters {
    counts: HashMap<Arc<str>, Count>,
    /// When to look at a key again. An update leaves its key's entry where it is: the entry goes off at the old instant and
    /// is put back for the new one. So a busy key costs no more here than an idle one.
    queue: BinaryHeap<Reverse<(Instant, Arc<str>)>>,
    ttl: Duration,
    capacity: usize,
}

impl Counters {
    /// No counts yet; each will live for `ttl` after its last update, and there is room for `capacity`.
    pub fn new(ttl: Duration, capacity: usize) -> Self {
        Self { counts: HashMap::new(), queue: BinaryHeap::new(), ttl, capacity }
    }

    /// Puts `with(key, count)` in place of each key's count, of all keys or of none. A key that is not there counts 0; one that is
    /// named twice is updated twice. O(k log n) for k keys.
    ///
    /// `with` is the caller's code: it may panic, and then nothing was changed.
    pub fn update(
        &mut self,
        now: Instant,
        keys: &[String],
        mut with: impl FnMut(&str, u64) -> u64,
    ) -> Result<Vec<Change>, Full> {
        //>> update
        //? What must be true of expired keys before you read a count, and before you look at the capacity?
        //? `with` panics at the third of five keys. What have the first two become?
        self.sweep(now);
        let expires = self.expiry(now);
        let mut changes: Vec<Change> = Vec::with_capacity(keys.len());
        // What this update has made of a key so far: it may be named again.
        let mut latest: HashMap<&str, u64> = HashMap::with_capacity(keys.len());
        let mut new = 0;
        // First decide, and touch nothing: only what can't fail comes after this loop.
        for key in keys {
            let known = self.counts.get(key.as_str()).map(|count| count.value);
            let earlier = latest.get(key.as_str()).copied();
            new += usize::from(known.is_none() && earlier.is_none());
            let value = with(key, earlier.or(known).unwrap_or(0));
            latest.insert(key, value);
            changes.push(Change { key: key.as_str().into(), value, expires });
        }
        if self.counts.len() + new > self.capacity {
            return Err(Full);
        }
        self.apply(&changes);
        Ok(changes)
        //<<
    }

    /// Takes changes over as they are, those of an update or those of a former life.
    pub fn apply(&mut self, changes: &[Change]) {
        for Change { key, value, expires } in changes {
            let count = Count { value: *value, expires: *expires };
            if self.counts.insert(key.clone(), count).is_none() {
                self.queue.push(Reverse((*expires, key.clone())));
            }
        }
    }

    /// Forgets the counts whose time is over, and says how many. O(log n) for each entry that is due, O(1) if none is.
    pub fn sweep(&mut self, now: Instant) -> usize {
        //>> sweep
        //? An entry is due. Is the count's time over, or was it updated since the entry was made?
        let mut gone = 0;
        while self.queue.peek().is_some_and(|Reverse((due, _))| *due <= now)
            && let Some(Reverse((_, key))) = self.queue.pop()
        {
            match self.counts.get(&key) {
                Some(count) if count.expires > now => self.queue.push(Reverse((count.expires, key))),
                _ => gone += usize::from(self.counts.remove(&key).is_some()),
            }
        }
        gone
        //<<
    }

    /// The count of a key; 0 if there is none, or if its time is over. O(1).
    pub fn get(&self, now: Instant, key: &str) -> u64 {
        self.counts.get(key).filter(|count| now < count.expires).map_or(0, |count| count.value)
    }

    /// All that is kept, as changes that [`apply`](Self::apply) takes. O(n).
    pub fn facts(&self) -> Vec<Change> {
        let fact = |(key, count): (&Arc<str>, &Count)| Change {
            key: key.clone(),
            value: count.value,
            expires: count.expires,
        };
        self.counts.iter().map(fact).collect()
    }

    /// How many keys are kept, those included whose time is over and that are not swept away yet.
    pub fn len(&self) -> usize {
        self.counts.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.counts.is_empty()
    }

    /// When a count ends that is updated now. A time that no clock can show is a year.
    fn expiry(&self, now: Instant) -> Instant {
        now.checked_add(self.ttl).unwrap_or(now + Duration::from_hours(24 * 365))
    }
}
