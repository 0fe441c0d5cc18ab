//! Stops where it stands: what was taken in is thrown away.
//!
//! test: behaviour::what_is_queued_is_handled_before_the_end
//! verdict: what was queued when the stop came was thrown away
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
    mailbox.close();
    session.close().await;
    Ok(())
//<<
