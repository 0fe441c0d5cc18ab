//! Writes over a value and leaves it noted as its former owner's.
//!
//! test: behaviour::a_key_belongs_to_whom_wrote_it_last
//! verdict: a dead client took another one's key with it
//>> put
        self.expire(now);
        if !self.entries.contains_key(key) && self.entries.len() >= self.capacity {
            return Err(Full);
        }
        let key: Arc<str> = key.into();
        if let Some(before) = self.entries.get(&key).and_then(|old| old.expires) {
            self.expiries.remove(&(before, key.clone()));
        }
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
