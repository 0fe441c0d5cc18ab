//! Sweeps before each message and at no other time.
//!
//! test: behaviour::an_expired_value_is_dropped_though_nobody_asks
//! verdict: the value's time is over, and its memory is still taken
//>> serve
    loop {
        match mailbox.receive(None).await {
            Received::Message(message) => {
                let now = Instant::now();
                store.expire(now);
                respond(message, now, &own, &mut store, &mut watched);
            }
            Received::TimedOut => {}
            Received::Closed => return,
        }
    }
//<<
