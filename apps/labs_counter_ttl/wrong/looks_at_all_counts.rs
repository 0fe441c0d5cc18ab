//! Searches everything for what is over.
//!
//! test: budget::an_update_does_not_look_at_all_that_is_kept
//! verdict: updates cost n^
//>> sweep
        let before = self.counts.len();
        self.counts.retain(|_, count| count.expires > now);
        if self.counts.len() < before {
            let counts = &self.counts;
            self.queue.retain(|Reverse((_, key))| counts.contains_key(key));
        }
        before - self.counts.len()
//<<
