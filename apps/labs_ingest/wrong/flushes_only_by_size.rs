//! Writes only full batches: on a quiet day the last messages wait for ever.
//!
//! test: behaviour::a_lone_message_waits_no_longer_than_the_patience
//! verdict: still waiting after the patience of its batch
//>> tick
        _ = now;
        self.due = None;
        None
//<<
