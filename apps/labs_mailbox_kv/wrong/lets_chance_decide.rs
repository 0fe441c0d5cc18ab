//! Sleeps beside its mailbox, and lets chance decide where both are due.
//!
//! test: behaviour::a_message_and_an_expiry_that_are_both_due_have_an_order
//! verdict: a value was given out when its time was over
//>> serve
    loop {
        let never = Instant::now() + Duration::from_hours(24);
        let next = store.next_expiry().unwrap_or(never);
        tokio::select! {
            () = tokio::time::sleep_until(next) => { store.expire(Instant::now()); }
            received = mailbox.receive(None) => match received {
                Received::Message(message) => respond(message, Instant::now(), &own, &mut store, &mut watched),
                Received::TimedOut => {}
                Received::Closed => return,
            },
        }
    }
//<<
