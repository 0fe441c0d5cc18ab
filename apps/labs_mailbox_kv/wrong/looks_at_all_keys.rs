//! Searches everything for what has expired, at every write.
//!
//! test: budget::a_write_does_not_look_at_all_that_is_kept
//! verdict: writes cost n^
//>> put
        let dead: Vec<Arc<str>> = self
            .entries
            .iter()
            .filter(|(_, entry)| entry.expires.is_some_and(|expires| expires <= now))
            .map(|(key, _)| key.clone())
            .collect();
        for key in dead {
            self.remove(&key);
        }
        if !self.entries.contains_key(key) && self.entries.len() >= self.capacity {
            return Err(Full);
        }
        self.remove(key);
        let key: Arc<str> = key.into();
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
