//! Waits a second from each message on, and sweeps when nothing came: under traffic, never.
//!
//! test: behaviour::an_expired_value_is_dropped_though_messages_never_stop
//! verdict: steady traffic kept an expired value alive
//>> serve
    loop {
        let second = Instant::now() + Duration::from_secs(1);
        match mailbox.receive(Some(second)).await {
            Received::Message(message) => {
                let now = Instant::now();
                respond(message, now, &own, &mut store, &mut watched);
            }
            Received::TimedOut => {
                store.expire(Instant::now());
            }
            Received::Closed => return,
        }
    }
//<<
