//! Restarts what crashes, however often it did.
//!
//! test: faults::a_session_that_crashes_for_ever_is_given_up_alone
//! verdict: a restart storm
//>> ended
        match ended {
            Ended::Well => {}
            Ended::NotOpened(OpenError(why)) => {
                let Worker { name, end, .. } = worker;
                drop(name);
                end.send_replace(End::NotOpened(why));
            }
            Ended::Crashed => {
                let (address, post) = Address::new(self.limits.mailbox);
                if !self.closing && worker.name.renew(&address) {
                    let Worker { name, crashes, .. } = worker;
                    self.begin(name, post, crashes);
                }
            }
        }
//<<
