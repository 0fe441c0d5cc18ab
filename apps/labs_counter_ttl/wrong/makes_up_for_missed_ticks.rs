//! Ticks as often as periods have passed, all at once.
//!
//! test: behaviour::missed_ticks_are_not_made_up_for
//! verdict: missed ticks were made up for
//>> live
    let mut server = start();
    let mut ticks = interval_at(Instant::now() + tick, tick);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    loop {
        tokio::select! {
            biased;
            () = asked(&mut stop) => return server.stopped(Instant::now()),
            _ = ticks.tick() => server.tick(Instant::now()),
            message = mailbox.recv() => {
                let Some(message) = message else { return };
                if server.handle(message, Instant::now()) == Next::Stop {
                    return;
                }
            }
        }
    }
//<<
