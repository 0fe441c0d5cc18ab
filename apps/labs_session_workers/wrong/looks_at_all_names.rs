//! Searches for the key from one end to the other.
//!
//! test: budget::a_name_is_found_in_one_look
//! verdict: comparisons to claim one of
//>> claim
        let mut names = self.write();
        if let Some((_, taken)) = names.iter().find(|(known, _)| *known == key) {
            return Err(taken.clone());
        }
        names.insert(key.clone(), address.clone());
        Ok(Name { registry: self.clone(), key: key.clone(), id: address.id() })
//<<
