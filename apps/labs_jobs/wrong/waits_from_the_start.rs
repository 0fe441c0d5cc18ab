//! Looks at the clock before the attempt: a job that took long before it failed is back at once.
//!
//! test: faults::an_attempt_that_was_stuck_waits_before_the_next_one
//! verdict: it has waited 0 ms since it was ended
//>> attempt
    let now = clock.now();
    let mut task = tokio::spawn({
        let job = job.clone();
        async move { worker.run(job).await }
    });
    let ended = if let Ok(joined) = timeout(millis(settings.lease), &mut task).await {
        joined.unwrap_or_else(|lost| Err(Failure::from(lost)))
    } else {
        task.abort();
        Err(Failure("took longer than its lease".to_owned()))
    };
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
        Err(reason) => queue.with(move |queue| queue.fail(now, &job, &reason, jitter)).await,
    }
//<<
