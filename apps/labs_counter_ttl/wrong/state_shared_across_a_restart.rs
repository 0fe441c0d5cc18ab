//! Lets the heir see each key as it is changed: the next life finds what the crash left.
//!
//! test: laws::crashes_change_nothing_that_was_acknowledged
//! verdict: the count of
//>> change
        let mut with = with;
        let mut values = Vec::new();
        for key in keys {
            let changes = self.counters.update(now, std::slice::from_ref(key), &mut with)?;
            self.heir.record(&changes);
            values.extend(changes.iter().map(|change| change.value));
        }
        Ok(values)
//<<
