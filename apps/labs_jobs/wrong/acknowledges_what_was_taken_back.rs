//! Asks only whether the job is done already: an attempt whose lease was taken back writes, while the job waits or is discarded.
//!
//! test: laws::any_history_gives_each_job_one_end_and_at_most_one_effect
//! verdict: before the end of its lease: Done
//>> complete
        let done = transaction.execute(
            "UPDATE jobs SET state = 'done', lease_until = NULL, reason = NULL
             WHERE id = ? AND attempt = ? AND state <> 'done'",
            params![job.id.0, job.attempt],
        )?;
        if done == 0 {
            return Ok(Acked::Lost);
        }
        effect(&transaction)?;
        transaction.commit()?;
        Ok(Acked::Done)
//<<
