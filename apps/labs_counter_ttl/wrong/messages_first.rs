//! Looks at the mailbox before anything else.
//!
//! test: behaviour::a_stop_goes_before_what_is_queued
//! verdict: a stop waited for the queue
//>> live
    let mut server = start();
    let mut ticks = interval_at(Instant::now() + tick, tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            message = mailbox.recv() => {
                let Some(message) = message else { return };
                if server.handle(message, Instant::now()) == Next::Stop {
                    return;
                }
            }
            () = asked(&mut stop) => return server.stopped(Instant::now()),
            _ = ticks.tick() => server.tick(Instant::now()),
        }
    }
//<<
