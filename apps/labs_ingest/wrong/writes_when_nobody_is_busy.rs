//! Writes whatever is held as soon as no processor is busy: on a quiet day each message is a batch of its own.
//!
//! test: behaviour::those_who_come_within_the_patience_are_written_together
//! verdict: batches of three that came within the patience
//>> drain
        let more_may_come = self.processing > 0 || !self.waiting.is_empty();
        if !more_may_come && let Some(batch) = self.batcher.flush() {
            self.write(batch);
        }
//<<
