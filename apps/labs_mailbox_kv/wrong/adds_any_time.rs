//! Adds any time to the present, and panics where the sum has no place on a clock: one client ends the server of all.
//!
//! test: behaviour::a_time_without_end_is_no_limit
//! verdict: a time that no clock can show has ended the server
//>> put
        self.expire(now);
        if !self.entries.contains_key(key) && self.entries.len() >= self.capacity {
            return Err(Full);
        }
        self.remove(key);
        let key: Arc<str> = key.into();
        let expires = ttl.map(|ttl| now + ttl);
        if let Some(expires) = expires {
            self.expiries.insert((expires, key.clone()));
        }
        if let Some(owner) = owner {
            self.owned.entry(owner).or_default().insert(key.clone());
        }
        self.entries.insert(key, Entry { value, owner, expires });
        Ok(())
//<<
