//! Says that it could not be opened, and then frees the name: who tries again at once meets the dead.
//!
//! test: faults::who_hears_of_an_end_finds_the_name_free
//! verdict: somebody heard of an end while its name was still taken: Ok(NotOpened(
//>> ended
        match ended {
            Ended::Well => {}
            Ended::NotOpened(OpenError(why)) => {
                let Worker { name, end, .. } = worker;
                end.send_replace(End::NotOpened(why));
                drop(name);
            }
            Ended::Crashed => {
                if self.closing || !worker.crashes.admit(Instant::now()) {
                    return;
                }
                let (address, post) = Address::new(self.limits.mailbox);
                if worker.name.renew(&address) {
                    // The former life's `end` is dropped here, after the name has its new address.
                    let Worker { name, crashes, .. } = worker;
                    self.begin(name, post, crashes);
                }
            }
        }
//<<
