//! Flushes as soon as a stop is asked, while processors are busy still: batches of one, and more writes than needed.
//!
//! test: budget::a_drain_waits_for_the_processors
//! verdict: batches for 3 messages
//>> drain
        if self.closing && let Some(batch) = self.batcher.flush() {
            self.write(batch);
        }
//<<
