//! Looks whether the key is free under one lock, and takes it under another.
//!
//! test: faults::real_threads_never_both_have_a_key
//! verdict: a key was given to two threads, or to none
//>> claim
        let there = self.read().get(key).cloned();
        if let Some(taken) = there {
            return Err(taken);
        }
        self.write().insert(key.clone(), address.clone());
        Ok(Name { registry: self.clone(), key: key.clone(), id: address.id() })
//<<
