//! Begins the next life whether it still has its name or not.
//!
//! test: faults::who_has_lost_its_name_does_not_come_back
//! verdict: it came back without a name
//>> ended
        match ended {
            Ended::Well => {}
            Ended::NotOpened(OpenError(why)) => {
                let Worker { name, end, .. } = worker;
                drop(name);
                end.send_replace(End::NotOpened(why));
            }
            Ended::Crashed => {
                if self.closing || !worker.crashes.admit(Instant::now()) {
                    return;
                }
                let (address, post) = Address::new(self.limits.mailbox);
                worker.name.renew(&address);
                let Worker { name, crashes, .. } = worker;
                self.begin(name, post, crashes);
            }
        }
//<<
