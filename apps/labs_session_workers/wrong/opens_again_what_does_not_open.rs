//! Takes an answer, that a session cannot be opened, for a crash.
//!
//! test: behaviour::a_session_that_does_not_open_is_an_answer
//! verdict: both hear why, when it is known
//>> ended
        match ended {
            Ended::Well => {}
            Ended::NotOpened(_) | Ended::Crashed => {
                if self.closing || !worker.crashes.admit(Instant::now()) {
                    return;
                }
                let (address, post) = Address::new(self.limits.mailbox);
                if worker.name.renew(&address) {
                    let Worker { name, crashes, .. } = worker;
                    self.begin(name, post, crashes);
                }
            }
        }
//<<
