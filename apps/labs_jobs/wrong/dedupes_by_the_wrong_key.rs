//! Takes the content for the key: two customers who order the same get one parcel.
//!
//! test: behaviour::a_job_is_unique_by_kind_and_key_while_it_waits_or_runs
//! verdict: is no duplicate
//>> enqueue
        let key = key.as_ref().map(|_| args);
        let insert = "INSERT INTO jobs (kind, args, key, run_at, attempts) VALUES (?, ?, ?, ?, ?)
                      ON CONFLICT DO NOTHING RETURNING id";
        let new = on
            .query_row(insert, params![kind, args, key, run_at, attempts], |row| row.get(0))
            .optional()?;
        if let Some(id) = new {
            return Ok(Enqueued::New(JobId(id)));
        }
        let held = "SELECT id FROM jobs WHERE kind = ? AND key = ? AND state IN ('waiting', 'executing')";
        let id = on.query_row(held, params![kind, key], |row| row.get(0))?;
        Ok(Enqueued::Duplicate(JobId(id)))
//<<
