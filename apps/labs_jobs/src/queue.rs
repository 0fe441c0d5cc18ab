//! The table, and the statements that move a job through its life.
//!
//! **Invariant.** Every statement that moves a leased job names its attempt; one that no longer holds the lease changes
//! nothing. Time is an argument, so that the queue has no clock.
//!
//! ```text
//! enqueue -> waiting --lease--> executing --complete--> done
//!               ^                  |   |
//!               +--- fail, rescue -+   +-- fail, rescue: no attempt left --> discarded
//! ```

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, Result, Row, TransactionBehavior, params};

use crate::backoff::Backoff;
use crate::job::{Acked, Counts, Enqueued, Failure, Job, JobId, Millis, NewJob, Rescued};

/// What a job writes: it is committed with the acknowledgement, or not at all.
pub type Effect = Box<dyn FnOnce(&Connection) -> Result<()> + Send>;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS jobs (
    -- AUTOINCREMENT: a number is never given twice, also after a job was pruned.
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    kind        TEXT    NOT NULL,
    args        TEXT    NOT NULL,
    key         TEXT,
    state       TEXT    NOT NULL DEFAULT 'waiting'
                CHECK (state IN ('waiting', 'executing', 'done', 'discarded')),
    attempt     INTEGER NOT NULL DEFAULT 0 CHECK (attempt >= 0),
    attempts    INTEGER NOT NULL,
    run_at      INTEGER NOT NULL,
    lease_until INTEGER CHECK ((state = 'executing') = (lease_until IS NOT NULL)),
    reason      TEXT
) STRICT;
-- One partial index a question: finished jobs are in none of them.
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (run_at, id) WHERE state = 'waiting';
CREATE INDEX IF NOT EXISTS jobs_leased ON jobs (lease_until) WHERE state = 'executing';
CREATE UNIQUE INDEX IF NOT EXISTS jobs_key ON jobs (kind, key)
    WHERE key IS NOT NULL AND state IN ('waiting', 'executing');
";

/// A queue in an SQLite file, which may hold the caller's own tables as well.
#[derive(Debug)]
pub struct Queue {
    db: Connection,
    backoff: Backoff,
}

impl Queue {
    /// Opens the file, and makes the table if it is not there.
    pub fn open(path: &Path, backoff: Backoff) -> Result<Self> {
        Self::on(Connection::open(path)?, backoff)
    }

    /// Lives as long as this value does.
    pub fn in_memory(backoff: Backoff) -> Result<Self> {
        Self::on(Connection::open_in_memory()?, backoff)
    }

    fn on(db: Connection, backoff: Backoff) -> Result<Self> {
        // Another process may write just now.
        db.busy_timeout(Duration::from_secs(10))?;
        db.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        db.execute_batch(SCHEMA)?;
        Ok(Self { db, backoff })
    }

    /// For the caller's own tables and transactions.
    pub fn connection(&mut self) -> &mut Connection {
        &mut self.db
    }

    /// Brings a job on the caller's connection: inside of its transaction, if it has one, so that the job and the data that it
    /// is about are committed together.
    pub fn enqueue(on: &Connection, job: &NewJob) -> Result<Enqueued> {
        let NewJob { kind, args, key, run_at, attempts } = job;
        //>> enqueue
        //? Two requests bring a job of the same kind and key at the same time. Who decides which one is new?
        //? Two customers order the same thing. Are their jobs the same? And the same customer's, a day later?
        let insert = "INSERT INTO jobs (kind, args, key, run_at, attempts) VALUES (?, ?, ?, ?, ?)
                      ON CONFLICT DO NOTHING RETURNING id";
        let new =
            on.query_row(insert, params![kind, args, key, run_at, attempts], |row| row.get(0)).optional()?;
        if let Some(id) = new {
            return Ok(Enqueued::New(JobId(id)));
        }
        let held = "SELECT id FROM jobs WHERE kind = ? AND key = ? AND state IN ('waiting', 'executing')";
        let id = on.query_row(held, params![kind, key], |row| row.get(0))?;
        Ok(Enqueued::Duplicate(JobId(id)))
        //<<
    }

    /// Takes at most so many jobs whose time has come, the oldest first, and holds them until `now + lease`. Each of them is
    /// one attempt further.
    pub fn lease(&mut self, now: Millis, lease: Millis, most: usize) -> Result<Vec<Job>> {
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        //>> lease
        //? Two workers ask at the same moment. Which of their statements could both see the same job as waiting?
        //? A million jobs are done. Which index does your question use?
        let sql = "UPDATE jobs SET state = 'executing', attempt = attempt + 1, lease_until = ?1 + ?2
                   WHERE id IN (SELECT id FROM jobs WHERE state = 'waiting' AND run_at <= ?1
                                ORDER BY run_at, id LIMIT ?3)
                   RETURNING id, kind, args, attempt, run_at";
        let mut statement = self.db.prepare_cached(sql)?;
        let rows =
            statement.query_map(params![now, lease, most], |row| Ok((row.get("run_at")?, job(row)?)))?;
        let mut jobs: Vec<(Millis, Job)> = rows.collect::<Result<_>>()?;
        // RETURNING promises no order.
        jobs.sort_by_key(|(run_at, job)| (*run_at, job.id));
        Ok(jobs.into_iter().map(|(_, job)| job).collect())
        //<<
    }

    /// Acknowledges an attempt that succeeded, with what it writes.
    pub fn complete(&mut self, job: &Job, effect: Effect) -> Result<Acked> {
        let transaction = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        //>> complete
        //? The worker was slow, its lease ended, somebody else has the job. What may it still write?
        //? The effect fails half-way. What is the job then?
        let done = transaction.execute(
            "UPDATE jobs SET state = 'done', lease_until = NULL, reason = NULL
             WHERE id = ? AND attempt = ? AND state = 'executing'",
            params![job.id.0, job.attempt],
        )?;
        if done == 0 {
            return Ok(Acked::Lost);
        }
        effect(&transaction)?;
        transaction.commit()?;
        Ok(Acked::Done)
        //<<
    }

    /// Acknowledges an attempt that failed: again after the back-off, which is in the row, or discarded after the last one.
    /// `jitter` is drawn evenly from 0 to 1.
    pub fn fail(&mut self, now: Millis, job: &Job, reason: &Failure, jitter: f64) -> Result<Acked> {
        //>> fail
        //? The process ends while the job waits for its next attempt. Who knows afterwards when that is?
        //? How often does a job fail that can never succeed?
        let run_at = now + self.backoff.delay(job.attempt, jitter);
        let state = self
            .db
            .query_row(
                "UPDATE jobs SET state = CASE WHEN attempt < attempts THEN 'waiting' ELSE 'discarded' END,
                                 run_at = ?, lease_until = NULL, reason = ?
                 WHERE id = ? AND attempt = ? AND state = 'executing' RETURNING state",
                params![run_at, reason.0, job.id.0, job.attempt],
                |row| row.get::<_, String>(0),
            )
            .optional()?;
        Ok(match state.as_deref() {
            Some("waiting") => Acked::Again(run_at),
            Some(_) => Acked::Discarded,
            None => Acked::Lost,
        })
        //<<
    }

    /// Takes back what is leased and should have been acknowledged by now: its worker is gone, or stuck.
    pub fn rescue(&mut self, now: Millis) -> Result<Rescued> {
        let reason = "its worker did not come back";
        //>> rescue
        //? There is a job that kills every process that runs it. How often does it?
        let mut statement = self.db.prepare_cached(
            "UPDATE jobs SET state = CASE WHEN attempt < attempts THEN 'waiting' ELSE 'discarded' END,
                             run_at = ?1, lease_until = NULL, reason = ?2
             WHERE state = 'executing' AND lease_until <= ?1 RETURNING state",
        )?;
        let states: Vec<String> =
            statement.query_map(params![now, reason], |row| row.get(0))?.collect::<Result<_>>()?;
        let again = states.iter().filter(|state| *state == "waiting").count();
        Ok(Rescued { again, discarded: states.len() - again })
        //<<
    }

    /// When there is something to do next: a job's time, or the end of a lease.
    pub fn next_due(&self) -> Result<Option<Millis>> {
        let sql = "SELECT min(at) FROM (SELECT min(run_at) AS at FROM jobs WHERE state = 'waiting'
                   UNION ALL SELECT min(lease_until) FROM jobs WHERE state = 'executing')";
        self.db.query_row(sql, [], |row| row.get(0))
    }

    /// How many jobs are where. O(jobs).
    pub fn counts(&self) -> Result<Counts> {
        let mut counts = Counts::default();
        let mut statement = self.db.prepare("SELECT state, count(*) FROM jobs GROUP BY state")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let count = usize::try_from(row.get::<_, i64>(1)?).unwrap_or(usize::MAX);
            match row.get_ref(0)?.as_str()? {
                "waiting" => counts.waiting = count,
                "executing" => counts.executing = count,
                "done" => counts.done = count,
                _ => counts.discarded = count,
            }
        }
        Ok(counts)
    }

    /// Why the last attempt of a job did not succeed, if so.
    pub fn reason(&self, id: JobId) -> Result<Option<String>> {
        self.db.query_row("SELECT reason FROM jobs WHERE id = ?", [id.0], |row| row.get(0))
    }
}

fn job(row: &Row<'_>) -> Result<Job> {
    let (kind, args) = (row.get("kind")?, row.get("args")?);
    Ok(Job { id: JobId(row.get("id")?), kind, args, attempt: row.get("attempt")? })
}
