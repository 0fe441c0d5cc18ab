//! Stops waiting for an attempt, and does not stop the attempt: it goes on beside the next one.
//!
//! test: faults::an_attempt_that_is_stuck_is_ended_with_its_lease
//! verdict: attempts go on behind the worker's back
//>> attempt
    let mut task = tokio::spawn({
        let job = job.clone();
        async move { worker.run(job).await }
    });
    let ended = if let Ok(joined) = timeout(millis(settings.lease), &mut task).await {
        joined.unwrap_or_else(|lost| Err(Failure::from(lost)))
    } else {
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
        Err(reason) => {
            let now = clock.now();
            queue.with(move |queue| queue.fail(now, &job, &reason, jitter)).await
        }
    }
//<<
