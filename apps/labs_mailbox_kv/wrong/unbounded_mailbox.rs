//! A queue that grows never has to refuse anybody.
//!
//! test: behaviour::a_full_mailbox_says_so_at_once_and_gives_the_message_back
//! verdict: a full mailbox took another message
//>> try_send
        let Some(shared) = self.shared.upgrade() else { return Err(Refused::Closed(message)) };
        let mut queue = shared.queue();
        if !queue.open {
            return Err(Refused::Closed(message));
        }
        queue.messages.push_back(message);
        drop(queue);
        shared.bell.notify_one();
        Ok(())
//<<
