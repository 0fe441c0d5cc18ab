//! Trusts that it will not crash.
//!
//! test: laws::crashes_change_nothing_that_was_acknowledged
//! verdict: the count of
//>> change
        let changes = self.counters.update(now, keys, with)?;
        Ok(changes.iter().map(|change| change.value).collect())
//<<
