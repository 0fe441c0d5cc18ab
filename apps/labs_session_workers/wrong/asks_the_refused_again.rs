//! Waits for the end of a life, and does not ask how it ended: what could not be opened is opened again and again.
//!
//! test: behaviour::who_waits_at_the_door_hears_it_too
//! verdict: and all hear why
//>> deliver
        loop {
            let address = self.find_or_start(key).await?;
            match address.send(message).await {
                Ok(()) => return Ok(address),
                Err(back) => message = back,
            }
            address.gone().await;
        }
//<<
