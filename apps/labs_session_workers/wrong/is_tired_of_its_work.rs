//! Counts its idleness from the moment at which a message came, however long its work took.
//!
//! test: behaviour::a_busy_worker_is_not_idle
//! verdict: a worker fell asleep four seconds after its work, of five
//>> live
    let mut awake_until = tokio::time::Instant::now() + idle;
    loop {
        tokio::select! {
            biased;
            () = stop.notified() => break,
            received = tokio::time::timeout_at(awake_until, mailbox.recv()) => match received {
                Ok(Some(message)) => {
                    awake_until = tokio::time::Instant::now() + idle;
                    session.handle(message).await;
                }
                Ok(None) | Err(_) => break,
            },
        }
    }
    mailbox.close();
    while let Some(message) = mailbox.recv().await {
        session.handle(message).await;
    }
    session.close().await;
    Ok(())
//<<
