//! Asks whether the key is there and then inserts: two who ask at the same moment both insert.
//!
//! test: faults::two_processes_that_bring_one_key_bring_one_job
//! verdict: a duplicate is no error
//>> enqueue
        let held = "SELECT id FROM jobs WHERE kind = ? AND key = ? AND state IN ('waiting', 'executing')";
        let held = on.query_row(held, params![kind, key], |row| row.get(0)).optional()?;
        if let Some(id) = held {
            return Ok(Enqueued::Duplicate(JobId(id)));
        }
        std::thread::sleep(Duration::from_millis(2));
        let insert = "INSERT INTO jobs (kind, args, key, run_at, attempts) VALUES (?, ?, ?, ?, ?) RETURNING id";
        let id = on.query_row(insert, params![kind, args, key, run_at, attempts], |row| row.get(0))?;
        Ok(Enqueued::New(JobId(id)))
//<<
