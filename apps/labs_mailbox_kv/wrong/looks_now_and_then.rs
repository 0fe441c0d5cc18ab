//! Polls the queue instead of being woken: late by half a period, and never asleep.
//!
//! test: behaviour::a_receiver_that_waits_is_woken_by_a_message
//! verdict: a receiver looks now and then, and is not woken
//>> receive
        loop {
            {
                let mut queue = self.shared.queue();
                if let Some(message) = queue.messages.pop_front() {
                    return Received::Message(message);
                }
                if !queue.open {
                    return Received::Closed;
                }
            }
            if deadline.is_some_and(|deadline| Instant::now() >= deadline) {
                return Received::TimedOut;
            }
            let next = Instant::now() + std::time::Duration::from_millis(10);
            tokio::time::sleep_until(deadline.map_or(next, |deadline| next.min(deadline))).await;
        }
//<<
