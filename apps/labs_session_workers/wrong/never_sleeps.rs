//! Waits for the next message, however long that takes.
//!
//! test: behaviour::an_idle_worker_goes_to_sleep
//! verdict: a worker was idle for long enough, and is still there
//>> live
    let _ = (idle, timeout::<std::future::Ready<()>>);
    loop {
        tokio::select! {
            biased;
            () = stop.notified() => break,
            received = mailbox.recv() => match received {
                Some(message) => session.handle(message).await,
                None => break,
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
