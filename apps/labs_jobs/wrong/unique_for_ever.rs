//! Looks for the key among all jobs, those that have ended, too: the second order of a customer never gets its mail.
//!
//! test: behaviour::a_job_is_unique_by_kind_and_key_while_it_waits_or_runs
//! verdict: is no duplicate
//>> enqueue
        let held = on
            .query_row("SELECT id FROM jobs WHERE kind = ? AND key = ?", params![kind, key], |row| row.get(0))
            .optional()?;
        if let Some(id) = held {
            return Ok(Enqueued::Duplicate(JobId(id)));
        }
        let insert = "INSERT INTO jobs (kind, args, key, run_at, attempts) VALUES (?, ?, ?, ?, ?) RETURNING id";
        let id = on.query_row(insert, params![kind, args, key, run_at, attempts], |row| row.get(0))?;
        Ok(Enqueued::New(JobId(id)))
//<<
