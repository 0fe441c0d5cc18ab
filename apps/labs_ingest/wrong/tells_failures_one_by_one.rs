//! Acknowledges a batch that was written in one call, and one that was not message by message.
//!
//! test: budget::a_batch_is_acknowledged_in_one_call
//! verdict: acknowledgements for 10 batches that could not be written
//>> written
        match result {
            Ok(()) => self.settle(Settled { done: ids, ..Settled::default() }),
            Err(reason) => {
                for id in ids {
                    self.dead.bury(id, reason.clone());
                    self.settle(Settled { failed: vec![id], ..Settled::default() });
                }
            }
        }
//<<
