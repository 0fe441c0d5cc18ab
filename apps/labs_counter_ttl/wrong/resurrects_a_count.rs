//! Counts on from whatever is found, whether its time is over or not.
//!
//! test: behaviour::an_expired_count_begins_at_nothing
//! verdict: a count came back from the dead
//>> update
        let expires = self.expiry(now);
        let mut changes: Vec<Change> = Vec::with_capacity(keys.len());
        let mut new = 0;
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
