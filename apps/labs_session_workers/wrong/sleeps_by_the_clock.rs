//! Counts its idleness from the opening on.
//!
//! test: behaviour::an_idle_worker_goes_to_sleep
//! verdict: a worker fell asleep fifty seconds after a message, of sixty
//>> live
    let bedtime = tokio::time::Instant::now() + idle;
    loop {
        tokio::select! {
            biased;
            () = stop.notified() => break,
            received = tokio::time::timeout_at(bedtime, mailbox.recv()) => match received {
                Ok(Some(message)) => session.handle(message).await,
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
