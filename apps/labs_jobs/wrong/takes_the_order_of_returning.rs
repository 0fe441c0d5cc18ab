//! Takes the rows as RETURNING gives them: in the order of their numbers, and not of their times.
//!
//! test: behaviour::jobs_that_are_leased_together_come_the_oldest_first
//! verdict: three of four, the oldest first
//>> lease
        let sql = "UPDATE jobs SET state = 'executing', attempt = attempt + 1, lease_until = ?1 + ?2
                   WHERE id IN (SELECT id FROM jobs WHERE state = 'waiting' AND run_at <= ?1
                                ORDER BY run_at, id LIMIT ?3)
                   RETURNING id, kind, args, attempt";
        let mut statement = self.db.prepare_cached(sql)?;
        let jobs = statement.query_map(params![now, lease, most], job)?.collect();
        jobs
//<<
