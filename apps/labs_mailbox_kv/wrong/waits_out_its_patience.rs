//! Takes a reply that was thrown away for one that is still to come.
//!
//! test: faults::callers_of_a_server_that_dies_hear_of_it_at_once
//! verdict: the server is dead, and a caller still waited for it
//>> call
        let (reply, mut answer) = Reply::channel();
        self.try_send(message(reply)).map_err(|refused| match refused {
            Refused::Full(_) => CallError::Overloaded,
            Refused::Closed(_) => CallError::NoProc,
        })?;
        let began = tokio::time::Instant::now();
        if let Ok(Ok(answer)) = timeout(patience, &mut answer).await {
            return Ok(answer);
        }
        let left = patience.saturating_sub(began.elapsed());
        let alive = self.waiting() > 0 || left.is_zero();
        tokio::time::sleep(left).await;
        Err(if alive { CallError::Timeout } else { CallError::Died })
//<<
