//! Waits a period from each message on.
//!
//! test: behaviour::ticks_come_though_messages_never_stop
//! verdict: steady traffic held up the periodic work
//>> live
    let mut server = start();
    loop {
        tokio::select! {
            biased;
            () = asked(&mut stop) => return server.stopped(Instant::now()),
            () = tokio::time::sleep(tick) => server.tick(Instant::now()),
            message = mailbox.recv() => {
                let Some(message) = message else { return };
                if server.handle(message, Instant::now()) == Next::Stop {
                    return;
                }
            }
        }
    }
//<<
