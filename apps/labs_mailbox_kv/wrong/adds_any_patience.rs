//! Adds the patience to the present, and panics where the sum has no place on a clock.
//!
//! test: behaviour::patience_may_be_without_end
//! verdict: a patience that no clock can show
//>> call
        let deadline = tokio::time::Instant::now() + patience;
        let (reply, answer) = Reply::channel();
        self.try_send(message(reply)).map_err(|refused| match refused {
            Refused::Full(_) => CallError::Overloaded,
            Refused::Closed(_) => CallError::NoProc,
        })?;
        match tokio::time::timeout_at(deadline, answer).await {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(_)) => Err(CallError::Died),
            Err(_) => Err(CallError::Timeout),
        }
//<<
