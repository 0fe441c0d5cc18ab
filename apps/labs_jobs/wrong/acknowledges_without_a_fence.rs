//! Asks only whether somebody executes the job, and not whether it is the same attempt: a worker that lost its lease writes as well.
//!
//! test: laws::any_history_gives_each_job_one_end_and_at_most_one_effect
//! verdict: ms before the end of its lease: Done
//>> complete
        let done = transaction.execute(
            "UPDATE jobs SET state = 'done', lease_until = NULL, reason = NULL WHERE id = ? AND state = 'executing'",
            params![job.id.0],
        )?;
        if done == 0 {
            return Ok(Acked::Lost);
        }
        effect(&transaction)?;
        transaction.commit()?;
        Ok(Acked::Done)
//<<
