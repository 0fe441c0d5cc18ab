//! Takes an old ring for the end of the wait: its message was received long ago.
//!
//! test: behaviour::a_ring_whose_message_was_taken_does_not_end_the_next_wait
//! verdict: an old ring ended a wait of three seconds
//>> receive
        {
            let mut queue = self.shared.queue();
            if let Some(message) = queue.messages.pop_front() {
                return Received::Message(message);
            }
            if !queue.open {
                return Received::Closed;
            }
        }
        let ring = self.shared.bell.notified();
        match deadline {
            None => ring.await,
            Some(deadline) => drop(timeout_at(deadline, ring).await),
        }
        let mut queue = self.shared.queue();
        match queue.messages.pop_front() {
            Some(message) => Received::Message(message),
            None if !queue.open => Received::Closed,
            None => Received::TimedOut,
        }
//<<
