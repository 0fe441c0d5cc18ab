//! Believes that a message that was processed is done, and acknowledges it before it is written.
//!
//! test: faults::a_crash_in_mid_batch_loses_nothing
//! verdict: messages were settled and never written
//>> processed
        match result {
            Ok(out) => {
                self.settle(Settled { done: vec![id], ..Settled::default() });
                if let Some(batch) = self.batcher.push((id, out), Instant::now()) {
                    self.write(batch);
                }
            }
            Err(reason) => {
                self.dead.bury(id, reason);
                self.settle(Settled { failed: vec![id], ..Settled::default() });
            }
        }
//<<
//>> written
        if let Err(reason) = result {
            for id in &ids {
                self.dead.bury(*id, reason.clone());
            }
        }
//<<
