//! Passes on the time at which the tick was due: after a pause, what has expired since stays.
//!
//! test: behaviour::missed_ticks_are_not_made_up_for
//! verdict: was told the time when it was due
//>> live
    let mut server = start();
    let mut ticks = interval_at(Instant::now() + tick, tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            biased;
            () = asked(&mut stop) => return server.stopped(Instant::now()),
            due = ticks.tick() => server.tick(due),
            message = mailbox.recv() => {
                let Some(message) = message else { return };
                if server.handle(message, Instant::now()) == Next::Stop {
                    return;
                }
            }
        }
    }
//<<
