//! Gives the next life a mailbox of any size: after a crash nobody is told that there is no room.
//!
//! test: behaviour::callers_wait_for_room_within_their_patience
//! verdict: (after a crash: true)
//>> ended
        match ended {
            Ended::Well => {}
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
                let (address, post) = Address::new(1 << 16);
                if worker.name.renew(&address) {
                    // The former life's `end` is dropped here, after the name has its new address.
                    let Worker { name, crashes, .. } = worker;
                    self.begin(name, post, crashes);
                }
            }
        }
//<<
