//! Acknowledges a batch message by message: a hundred calls where one will do.
//!
//! test: budget::a_batch_is_acknowledged_in_one_call
//! verdict: acknowledgements for 100 batches
//>> written
        for id in ids {
            match &result {
                Ok(()) => self.settle(Settled { done: vec![id], ..Settled::default() }),
                Err(reason) => {
                    self.dead.bury(id, reason.clone());
                    self.settle(Settled { failed: vec![id], ..Settled::default() });
                }
            }
        }
//<<
