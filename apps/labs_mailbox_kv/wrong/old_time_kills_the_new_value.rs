//! Writes over a value and leaves its expiry noted.
//!
//! test: behaviour::writing_again_gives_the_new_value_its_own_time
//! verdict: the old value's time ended the new value
//>> put
        self.expire(now);
        if !self.entries.contains_key(key) && self.entries.len() >= self.capacity {
            return Err(Full);
        }
        if let Some(owner) = self.entries.get(key).and_then(|old| old.owner)
            && let Some(keys) = self.owned.get_mut(&owner)
        {
            keys.remove(key);
        }
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
