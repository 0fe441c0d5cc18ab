//! Sweeps by a clock of its own, whether anything can have expired or not.
//!
//! test: budget::a_server_that_waits_is_not_woken_in_vain
//! verdict: for each value that expired
//>> serve
    loop {
        let second = Instant::now() + Duration::from_secs(1);
        let next = store.next_expiry().map_or(second, |next| next.min(second));
        match mailbox.receive(Some(next)).await {
            Received::Message(message) => {
                let now = Instant::now();
                store.expire(now);
                respond(message, now, &own, &mut store, &mut watched);
            }
            Received::TimedOut => {
                store.expire(Instant::now());
            }
            Received::Closed => return,
        }
    }
//<<
