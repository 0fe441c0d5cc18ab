//! Gives a count its time once, when it begins.
//!
//! test: behaviour::an_update_starts_the_clock_anew
//! verdict: an update did not start the clock anew
//>> update
        self.sweep(now);
        let mut changes: Vec<Change> = Vec::with_capacity(keys.len());
        let mut new = 0;
        for key in keys {
            let known = self.counts.get(key.as_str()).copied();
            let earlier = changes.iter().rev().find(|change| *change.key == **key).map(|change| change.value);
            new += usize::from(known.is_none() && earlier.is_none());
            let before = earlier.or(known.map(|count| count.value)).unwrap_or(0);
            let expires = known.map_or(self.expiry(now), |count| count.expires);
            changes.push(Change { key: key.as_str().into(), value: with(key, before), expires });
        }
        if self.counts.len() + new > self.capacity {
            return Err(Full);
        }
        self.apply(&changes);
        Ok(changes)
//<<
