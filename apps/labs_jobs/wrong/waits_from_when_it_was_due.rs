//! Counts the wait from when the job was due: one that was late already is attempted again at once.
//!
//! test: behaviour::a_wait_begins_with_the_failure
//! verdict: when a job is due that has failed at 53000
//>> fail
        let delay = self.backoff.delay(job.attempt, jitter);
        _ = now;
        let state = self
            .db
            .query_row(
                "UPDATE jobs SET state = CASE WHEN attempt < attempts THEN 'waiting' ELSE 'discarded' END,
                                 run_at = run_at + ?, lease_until = NULL, reason = ?
                 WHERE id = ? AND attempt = ? AND state = 'executing' RETURNING state, run_at",
                params![delay, reason.0, job.id.0, job.attempt],
                |row| Ok((row.get::<_, String>(0)?, row.get(1)?)),
            )
            .optional()?;
        Ok(match state {
            Some((state, run_at)) if state == "waiting" => Acked::Again(run_at),
            Some(_) => Acked::Discarded,
            None => Acked::Lost,
        })
//<<
