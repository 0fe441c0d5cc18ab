//! Commits the effect and then acknowledges: killed in between, the job has its effect twice.
//!
//! test: faults::an_effect_that_fails_leaves_nothing
//! verdict: half of an effect
//>> complete
        let held: i64 = transaction.query_row(
            "SELECT count(*) FROM jobs WHERE id = ? AND attempt = ? AND state = 'executing'",
            params![job.id.0, job.attempt],
            |row| row.get(0),
        )?;
        transaction.commit()?;
        if held == 0 {
            return Ok(Acked::Lost);
        }
        effect(&self.db)?;
        self.db.execute("UPDATE jobs SET state = 'done', lease_until = NULL, reason = NULL WHERE id = ?", [job.id.0])?;
        Ok(Acked::Done)
//<<
