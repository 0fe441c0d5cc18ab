//! Asks only whether somebody executes the job, and not whether it is the same attempt: a worker that lost its lease writes as well.
//!
//! test: faults::a_worker_that_lost_its_lease_writes_nothing
//! verdict: the lease had ended
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
