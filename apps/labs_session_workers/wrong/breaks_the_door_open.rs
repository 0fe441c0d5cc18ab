//! Does not wait for the end of the former life: takes the name away and starts the next one beside it.
//!
//! test: behaviour::a_message_to_somebody_who_falls_asleep_is_not_lost
//! verdict: one second until it is gone, one for the next opening
//>> deliver
        loop {
            let address = self.find_or_start(key).await?;
            match address.send(message).await {
                Ok(()) => return Ok(address),
                Err(back) => message = back,
            }
            if self.registry.whereis(key).is_some_and(|now| now.id() == address.id()) {
                self.registry.evict(key);
            }
        }
//<<
