//! Changes one key after the other and notices in the middle that there is no room.
//!
//! test: behaviour::at_the_bound_nothing_is_changed
//! verdict: an update that found no room was half done
//>> update
        self.sweep(now);
        let expires = self.expiry(now);
        let mut changes: Vec<Change> = Vec::with_capacity(keys.len());
        for key in keys {
            if !self.counts.contains_key(key.as_str()) && self.counts.len() >= self.capacity {
                return Err(Full);
            }
            let before = self.get(now, key);
            let change = Change { key: key.as_str().into(), value: with(key, before), expires };
            self.apply(std::slice::from_ref(&change));
            changes.push(change);
        }
        Ok(changes)
//<<
