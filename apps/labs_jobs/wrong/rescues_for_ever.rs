//! Gives a job back without looking at its attempts: one that kills its workers does so for ever.
//!
//! test: laws::any_history_gives_each_job_one_end_and_at_most_one_effect
//! verdict: attempt 4 of 3
//>> rescue
        let again = self.db.execute(
            "UPDATE jobs SET state = 'waiting', run_at = ?1, lease_until = NULL, reason = ?2
             WHERE state = 'executing' AND lease_until <= ?1",
            params![now, reason],
        )?;
        Ok(Rescued { again, discarded: 0 })
//<<
