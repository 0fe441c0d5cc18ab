//! Leaves the wait to the worker's memory: in the row the job is ready at once, for whoever asks.
//!
//! test: behaviour::a_job_that_failed_waits_for_its_back_off_and_is_discarded_in_the_end
//! verdict: when it is attempted again is in its row
//>> fail
        let run_at = now + self.backoff.delay(job.attempt, jitter);
        let state = self
            .db
            .query_row(
                "UPDATE jobs SET state = CASE WHEN attempt < attempts THEN 'waiting' ELSE 'discarded' END,
                                 lease_until = NULL, reason = ?
                 WHERE id = ? AND attempt = ? AND state = 'executing' RETURNING state",
                params![reason.0, job.id.0, job.attempt],
                |row| row.get::<_, String>(0),
            )
            .optional()?;
        Ok(match state.as_deref() {
            Some("waiting") => Acked::Again(run_at),
            Some(_) => Acked::Discarded,
            None => Acked::Lost,
        })
//<<
