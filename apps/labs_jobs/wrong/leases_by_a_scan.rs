//! Sorts the whole table to find what is next: a lease costs more with each job that was ever done.
//!
//! test: budget::a_lease_costs_the_same_whatever_is_done
//! verdict: the cost grows with the jobs that are done
//>> lease
        let sql = "UPDATE jobs SET state = 'executing', attempt = attempt + 1, lease_until = ?1 + ?2
                   WHERE id IN (SELECT id FROM jobs WHERE state || '' = 'waiting' AND run_at <= ?1
                                ORDER BY run_at, id LIMIT ?3)
                   RETURNING id, kind, args, attempt, run_at";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows = statement.query_map(params![now, lease, most], |row| Ok((row.get("run_at")?, job(row)?)))?;
        let mut jobs: Vec<(Millis, Job)> = rows.collect::<Result<_>>()?;
        jobs.sort_by_key(|(run_at, job)| (*run_at, job.id));
        Ok(jobs.into_iter().map(|(_, job)| job).collect())
//<<
