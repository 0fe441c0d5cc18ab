//! Rings for who listens at this moment: one who has looked, and does not listen yet, sleeps beside a message.
//!
//! test: faults::a_ring_before_the_wait_is_kept
//! verdict: a message waits, and the receiver sleeps
//>> try_send
        let Some(shared) = self.shared.upgrade() else { return Err(Refused::Closed(message)) };
        let mut queue = shared.queue();
        if !queue.open {
            return Err(Refused::Closed(message));
        }
        if queue.messages.len() >= shared.capacity {
            return Err(Refused::Full(message));
        }
        queue.messages.push_back(message);
        drop(queue);
        shared.bell.notify_waiters();
        Ok(())
//<<
