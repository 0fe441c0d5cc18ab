//! Putting jobs in, inside the caller's transaction.
//!
//! **Invariant.** An enqueue is one statement on the caller's connection: the job exists exactly if the caller's
//! transaction commits. A duplicate unique key is an answer, never an error, so it can't abort a transaction.

use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement, Value};

use crate::clock::system_now;
use crate::job::{Enqueued, JobId, NewJob, State};

/// Inserts one job. Wake the engine after the commit; without that, it is found at the next poll.
///
/// The error is the database's own, so that a caller's retry of serialization failures sees it.
///
/// ```no_run
/// # async fn example(tx: &sea_orm::DatabaseTransaction) -> Result<(), sea_orm::DbErr> {
/// use jobs::{NewJob, enqueue};
/// enqueue(tx, &NewJob::new("mail.send", serde_json::json!({ "to": "ann@example.com" }))).await?;
/// # Ok(())
/// # }
/// ```
pub async fn enqueue<C: ConnectionTrait>(conn: &C, job: &NewJob) -> Result<Enqueued, DbErr> {
    const SQL: &str = "INSERT INTO jobs (queue, worker, args, state, priority, max_attempts, scheduled_at, \
                       inserted_at, unique_key, meta) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
                       ON CONFLICT DO NOTHING RETURNING id";
    let now = system_now();
    let at = job.at.unwrap_or(now);
    let values: [Value; 10] = [
        job.queue.as_str().into(),
        job.worker.as_str().into(),
        job.args.to_string().into(),
        state(at, now).name().into(),
        i32::from(job.priority.min(9)).into(),
        attempts(job).into(),
        at.into(),
        now.into(),
        job.unique_key.clone().into(),
        job.meta.to_string().into(),
    ];
    let row =
        conn.query_one_raw(Statement::from_sql_and_values(conn.get_database_backend(), SQL, values)).await?;
    match row {
        Some(row) => Ok(Enqueued::New(JobId(row.try_get_by_index(0)?))),
        None => Ok(Enqueued::Duplicate),
    }
}

/// Inserts many jobs with one statement; duplicates are left out. Returns how many went in.
pub async fn enqueue_many<C: ConnectionTrait>(conn: &C, jobs: &[NewJob]) -> Result<u64, DbErr> {
    if jobs.is_empty() {
        return Ok(0);
    }
    let now = system_now();
    let rows: Vec<serde_json::Value> = jobs
        .iter()
        .map(|job| {
            let at = job.at.unwrap_or(now);
            serde_json::json!({
                "queue": job.queue, "worker": job.worker, "args": job.args.to_string(),
                "state": state(at, now).name(), "priority": job.priority.min(9),
                "max_attempts": attempts(job), "scheduled_at": at, "unique_key": job.unique_key,
                "meta": job.meta.to_string(),
            })
        })
        .collect();
    let backend = conn.get_database_backend();
    let source = match backend {
        DbBackend::Postgres => {
            "SELECT queue, worker, args, state, priority, max_attempts, scheduled_at, $2, unique_key, meta \
             FROM json_to_recordset($1::json) AS j(queue text, worker text, args text, state text, \
             priority int, max_attempts int, scheduled_at bigint, unique_key text, meta text)"
        }
        // `WHERE true` keeps SQLite's parser from reading ON CONFLICT as a join's ON.
        _ => {
            "SELECT value->>'queue', value->>'worker', value->>'args', value->>'state', value->>'priority', \
             value->>'max_attempts', value->>'scheduled_at', $2, value->>'unique_key', value->>'meta' \
             FROM json_each($1) WHERE true"
        }
    };
    let sql = format!(
        "INSERT INTO jobs (queue, worker, args, state, priority, max_attempts, scheduled_at, inserted_at, \
         unique_key, meta) {source} ON CONFLICT DO NOTHING"
    );
    let values: [Value; 2] = [serde_json::Value::Array(rows).to_string().into(), now.into()];
    Ok(conn.execute_raw(Statement::from_sql_and_values(backend, sql, values)).await?.rows_affected())
}

fn state(at: i64, now: i64) -> State {
    if at > now { State::Scheduled } else { State::Available }
}

fn attempts(job: &NewJob) -> i32 {
    i32::try_from(job.max_attempts.clamp(1, 1_000)).unwrap_or(1_000)
}
