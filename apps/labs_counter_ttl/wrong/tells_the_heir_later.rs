//! Answers, and lets a task tell the heir: a crash in between undoes what was acknowledged.
//!
//! test: faults::the_heir_knows_before_the_caller_does
//! verdict: a change was answered, and the heir did not know of it yet
//>> change
        let changes = self.counters.update(now, keys, with)?;
        let values = changes.iter().map(|change| change.value).collect();
        let heir = self.heir.clone();
        tokio::spawn(async move { heir.record(&changes) });
        Ok(values)
//<<
