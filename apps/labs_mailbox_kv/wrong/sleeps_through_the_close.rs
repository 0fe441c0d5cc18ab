//! Looks at the close before it waits, and after that only if there is no deadline.
//!
//! test: behaviour::a_receiver_that_waits_hears_of_the_close
//! verdict: a receiver with a deadline slept through the close
//>> receive
        let taken = {
            let mut queue = self.shared.queue();
            (queue.messages.pop_front(), queue.open)
        };
        match taken {
            (Some(message), _) => return Received::Message(message),
            (None, false) => return Received::Closed,
            (None, true) => {}
        }
        loop {
            let ring = self.shared.bell.notified();
            if let Some(deadline) = deadline {
                if timeout_at(deadline, ring).await.is_err() {
                    return Received::TimedOut;
                }
            } else {
                ring.await;
            }
            let mut queue = self.shared.queue();
            if let Some(message) = queue.messages.pop_front() {
                return Received::Message(message);
            }
            if !queue.open && deadline.is_none() {
                return Received::Closed;
            }
        }
//<<
