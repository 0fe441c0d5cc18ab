//! Puts its own entry over whatever is there.
//!
//! test: behaviour::a_key_is_given_once_and_free_again
//! verdict: a key was given to two, or it is not said who has it
//>> claim
        self.write().insert(key.clone(), address.clone());
        Ok(Name { registry: self.clone(), key: key.clone(), id: address.id() })
//<<
