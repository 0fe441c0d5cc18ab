//! Looks at the clock before it looks into the queue.
//!
//! test: behaviour::a_receiver_waits_until_its_deadline_and_no_longer
//! verdict: a passed deadline hid a message that was there
//>> receive
        loop {
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Received::TimedOut;
            }
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
                Some(deadline) => {
                    let _ = timeout_at(deadline, ring).await;
                }
            }
        }
//<<
