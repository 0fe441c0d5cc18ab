//! Looks at its mailbox first, and at a stop when that is empty.
//!
//! test: behaviour::a_stop_is_heard_though_messages_never_stop
//! verdict: for a queue that others fill again
//>> live
    loop {
        tokio::select! {
            biased;
            received = timeout(idle, mailbox.recv()) => match received {
                Ok(Some(message)) => session.handle(message).await,
                Ok(None) | Err(_) => break,
            },
            () = stop.notified() => break,
        }
    }
    mailbox.close();
    while let Some(message) = mailbox.recv().await {
        session.handle(message).await;
    }
    session.close().await;
    Ok(())
//<<
