//! Trusts every attempt to come back: two that are stuck, and the worker does nothing else, ever.
//!
//! test: faults::an_attempt_that_is_stuck_is_ended_with_its_lease
//! verdict: it waits for something that never happens
//>> attempt
    let mut task = tokio::spawn({
        let job = job.clone();
        async move { worker.run(job).await }
    });
    let ended = (&mut task).await.unwrap_or_else(|lost| Err(Failure::from(lost)));
    let acked = match ended {
        Ok(effect) => {
            let done = job.clone();
            let acked = queue.with(move |queue| queue.complete(&done, effect)).await;
            acked.map_err(|error| Failure(format!("what it writes was refused: {error}")))
        }
        Err(reason) => Err(reason),
    };
    match acked {
        Ok(acked) => Ok(acked),
        Err(reason) => {
            let now = clock.now();
            queue.with(move |queue| queue.fail(now, &job, &reason, jitter)).await
        }
    }
//<<
