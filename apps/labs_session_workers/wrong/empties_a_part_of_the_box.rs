//! Handles what is in a mailbox of the usual size, and throws away the rest of a larger one.
//!
//! test: behaviour::a_long_queue_is_handled_before_the_end
//! verdict: of 201 messages that were taken in, some were thrown away
//>> live
    loop {
        tokio::select! {
            biased;
            () = stop.notified() => break,
            received = timeout(idle, mailbox.recv()) => match received {
                Ok(Some(message)) => session.handle(message).await,
                // Idle for long enough, or nobody has our address any more.
                Ok(None) | Err(_) => break,
            },
        }
    }
    // First the door, then the room: what was let in is handled, and nobody is let in behind our back.
    mailbox.close();
    for _ in 0..64 {
        let Some(message) = mailbox.recv().await else { break };
        session.handle(message).await;
    }
    session.close().await;
    Ok(())
//<<
