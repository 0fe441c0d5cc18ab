//! Begins the next life and leaves the former one's address under the name.
//!
//! test: faults::a_crashed_worker_comes_back_under_its_name
//! verdict: a restarted worker is not found under its name
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
                let (_address, post) = Address::new(self.limits.mailbox);
                let Worker { name, crashes, .. } = worker;
                self.begin(name, post, crashes);
            }
        }
//<<
