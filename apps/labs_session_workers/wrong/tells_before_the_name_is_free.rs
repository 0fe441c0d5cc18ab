//! Lets those go who wait for the end, and then frees the name that they want.
//!
//! test: faults::who_hears_of_an_end_finds_the_name_free
//! verdict: somebody heard of an end while its name was still taken: Ok(Over)
//>> ended
        match ended {
            Ended::Well => {
                let Worker { name, end, .. } = worker;
                drop(end);
                drop(name);
            }
            Ended::NotOpened(OpenError(why)) => {
                let Worker { name, end, .. } = worker;
                // Whoever hears of it may try again, and finds the name free.
                drop(name);
                end.send_replace(End::NotOpened(why));
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
