//! Counts expired keys towards the capacity until somebody sweeps.
//!
//! test: laws::a_store_is_a_list_of_what_was_written_last
//! verdict: a put of key
//>> put
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
