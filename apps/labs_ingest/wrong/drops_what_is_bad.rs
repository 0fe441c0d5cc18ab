//! Settles a message that can't be worked on without burying it: nobody will ever know.
//!
//! test: behaviour::a_bad_message_is_buried_with_its_reason
//! verdict: is settled as failed, and not buried
//>> processed
        match result {
            Ok(out) => {
                if let Some(batch) = self.batcher.push((id, out), Instant::now()) {
                    self.write(batch);
                }
            }
            Err(_) => self.settle(Settled { failed: vec![id], ..Settled::default() }),
        }
//<<
