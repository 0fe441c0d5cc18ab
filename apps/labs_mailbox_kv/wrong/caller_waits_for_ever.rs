//! Trusts that every server answers.
//!
//! test: behaviour::a_call_waits_for_as_long_as_its_patience_lasts
//! verdict: the caller waited beyond its patience
//>> call
        let (reply, answer) = Reply::channel();
        self.try_send(message(reply)).map_err(|refused| match refused {
            Refused::Full(_) => CallError::Overloaded,
            Refused::Closed(_) => CallError::NoProc,
        })?;
        answer.await.map_err(|_| CallError::Died)
//<<
