//! Takes a worker that is on its way to sleep for one that is dead.
//!
//! test: behaviour::a_message_to_somebody_who_falls_asleep_is_not_lost
//! verdict: a message that met a worker on its way to sleep was lost
//>> deliver
        let address = self.find_or_start(key).await?;
        match address.send(message).await {
            Ok(()) => Ok(address),
            Err(back) => {
                message = back;
                drop(message);
                Err(not_begun(address.gone().await).unwrap_or(CallError::Died))
            }
        }
//<<
