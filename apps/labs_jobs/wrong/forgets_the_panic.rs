//! Thinks of jobs that say no, and not of those that panic: the job waits for the end of its lease.
//!
//! test: behaviour::a_panic_is_a_failure
//! verdict: within the lease, after two attempts
//>> attempt
        let task = tokio::spawn({
            let job = job.clone();
            async move { worker.run(job).await }
        });
        match timeout(millis(settings.lease), task).await {
            Ok(Ok(Ok(effect))) => queue.with(move |queue| queue.complete(&job, effect)).await,
            Ok(Ok(Err(reason))) => {
                let now = clock.now();
                queue.with(move |queue| queue.fail(now, &job, &reason, jitter)).await
            }
            _ => Ok(Acked::Lost),
        }
//<<
