//! Closes its session and takes messages in all the while.
//!
//! test: behaviour::a_message_to_somebody_who_falls_asleep_is_not_lost
//! verdict: a message that met a worker on its way to sleep was lost
//>> live
    loop {
        tokio::select! {
            biased;
            () = stop.notified() => break,
            received = timeout(idle, mailbox.recv()) => match received {
                Ok(Some(message)) => session.handle(message).await,
                Ok(None) | Err(_) => break,
            },
        }
    }
    while let Ok(message) = mailbox.try_recv() {
        session.handle(message).await;
    }
    session.close().await;
    Ok(())
//<<
