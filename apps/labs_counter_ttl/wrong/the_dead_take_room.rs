//! Looks at the time when it reads a count, and not when it looks at the capacity.
//!
//! test: behaviour::at_the_bound_nothing_is_changed
//! verdict: the time of the other two is over, and they still took room
//>> update
        let expires = self.expiry(now);
        let mut changes: Vec<Change> = Vec::with_capacity(keys.len());
        let mut new = 0;
        for key in keys {
            let there = self.counts.contains_key(key.as_str());
            let known = there.then(|| self.get(now, key));
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
