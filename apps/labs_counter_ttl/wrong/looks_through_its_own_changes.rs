//! Looks through all that it has changed so far, for each key: a batch of ten thousand looks fifty million times.
//!
//! test: budget::a_batch_costs_what_its_keys_cost
//! verdict: an update of n keys costs n^
//>> update
        self.sweep(now);
        let expires = self.expiry(now);
        let mut changes: Vec<Change> = Vec::with_capacity(keys.len());
        let mut new = 0;
        // First decide, and touch nothing: only what can't fail comes after this loop.
        for key in keys {
            let known = self.counts.get(key.as_str()).map(|count| count.value);
            let earlier = changes.iter().rev().find(|change| *change.key == **key).map(|change| change.value);
            new += usize::from(known.is_none() && earlier.is_none());
            let before = earlier.or(known).unwrap_or(0);
            changes.push(Change { key: key.as_str().into(), value: with(key, before), expires });
        }
        if self.counts.len() + new > self.capacity {
            return Err(Full);
        }
        self.apply(&changes);
        Ok(changes)
//<<
