//! Takes the middle of the span for each wait: the back-off has jitter, and nobody draws it.
//!
//! test: faults::a_worker_draws_each_wait
//! verdict: six jobs that failed together all wait
//>> attempt
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
        Err(reason) => {
            let now = clock.now();
            queue.with(move |queue| queue.fail(now, &job, &reason, 0.5 + 0.0 * jitter)).await
        }
    }
//<<
