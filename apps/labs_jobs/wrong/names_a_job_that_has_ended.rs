//! Looks for the duplicate among all jobs: whoever asks is given the number of one that is long done.
//!
//! test: behaviour::a_job_is_unique_by_kind_and_key_while_it_waits_or_runs
//! verdict: the same key, after one has ended
//>> enqueue
        let insert = "INSERT INTO jobs (kind, args, key, run_at, attempts) VALUES (?, ?, ?, ?, ?)
                      ON CONFLICT DO NOTHING RETURNING id";
        let new =
            on.query_row(insert, params![kind, args, key, run_at, attempts], |row| row.get(0)).optional()?;
        if let Some(id) = new {
            return Ok(Enqueued::New(JobId(id)));
        }
        let held = "SELECT id FROM jobs WHERE kind = ? AND key = ?";
        let id = on.query_row(held, params![kind, key], |row| row.get(0))?;
        Ok(Enqueued::Duplicate(JobId(id)))
//<<
