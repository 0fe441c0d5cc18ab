//! Reads what waits, then marks it: whoever reads in between has the same jobs.
//!
//! test: faults::workers_that_ask_together_share_the_jobs
//! verdict: jobs were leased twice
//>> lease
        let due = "SELECT id FROM jobs WHERE state = 'waiting' AND run_at <= ? ORDER BY run_at, id LIMIT ?";
        let ids: Vec<i64> =
            self.db.prepare(due)?.query_map(params![now, most], |row| row.get(0))?.collect::<Result<_>>()?;
        let mut jobs = Vec::new();
        for id in ids {
            let mark = "UPDATE jobs SET state = 'executing', attempt = attempt + 1, lease_until = ? + ?
                        WHERE id = ? RETURNING id, kind, args, attempt";
            jobs.push(self.db.query_row(mark, params![now, lease, id], job)?);
        }
        Ok(jobs)
//<<
