//! Settles and then buries: a crash in between loses the message and its reason.
//!
//! test: faults::a_batch_that_can_not_be_written_is_buried_as_a_whole
//! verdict: is settled as failed, and not buried
//>> written
        match result {
            Ok(()) => self.settle(Settled { done: ids, ..Settled::default() }),
            Err(reason) => {
                self.settle(Settled { failed: ids.clone(), ..Settled::default() });
                for id in ids {
                    self.dead.bury(id, reason.clone());
                }
            }
        }
//<<
