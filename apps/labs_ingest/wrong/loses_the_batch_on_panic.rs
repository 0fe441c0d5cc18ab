//! Thinks of a write that says no, and not of one that panics: its messages are neither done nor failed.
//!
//! test: faults::a_write_that_panics_loses_no_message
//! verdict: messages are neither done nor failed
//>> written
        match result {
            Ok(()) => self.settle(Settled { done: ids, ..Settled::default() }),
            Err(reason) if reason.0.starts_with("panicked") => {}
            Err(reason) => {
                for id in &ids {
                    self.dead.bury(*id, reason.clone());
                }
                self.settle(Settled { failed: ids, ..Settled::default() });
            }
        }
//<<
