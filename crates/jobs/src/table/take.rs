//! Taking jobs under a lease.
//!
//! **Invariant.** A paused queue gives nothing, and a queue with a limit for all nodes never gives more than is left of
//! it: both are asked inside the taking statement, so a change counts from its commit on, on every node.

use sea_orm::{DbBackend, DbErr, QueryResult, Statement, Value};

use crate::job::{Job, JobId};
use crate::store::Store;

/// A row that was taken.
pub(crate) enum Taken {
    /// A job to run.
    Job(Job),
    /// A row that somebody has spoilt by hand: the fence to cancel it under, and why.
    Poison { id: JobId, attempt: u32, why: String },
}

/// Takes up to `limit` available jobs of a queue for `node`, best first, and counts their attempt.
///
/// On PostgreSQL rows that another node is taking right now are skipped, not waited for. The inner limit is for the planner:
/// from one that it can't see it guesses a tenth of the table, and sorts it. The outer one stops the inner, so no row
/// is locked that is not taken.
pub(crate) async fn take(
    store: &dyn Store,
    queue: &str,
    node: &str,
    limit: usize,
    now: i64,
    lease_until: i64,
) -> Result<Vec<Taken>, DbErr> {
    const SET: &str =
        "SET state = 'executing', attempt = attempt + 1, attempted_at = $3, lease_until = $4, node = $5";
    const BACK: &str = "RETURNING jobs.id, jobs.attempt, jobs.worker, jobs.args, jobs.meta, jobs.priority, \
                        jobs.max_attempts, jobs.errors, jobs.scheduled_at";
    const PICK: &str = "SELECT id FROM jobs WHERE queue = $1 AND state = 'available' \
                        ORDER BY priority, scheduled_at, id LIMIT";
    let sql = match store.backend() {
        DbBackend::Postgres => format!(
            "WITH picked AS MATERIALIZED (SELECT id FROM ({PICK} $2 FOR UPDATE SKIP LOCKED) AS best \
             LIMIT jobs_room($1, $2)) UPDATE jobs {SET} FROM picked WHERE jobs.id = picked.id {BACK}"
        ),
        _ => format!(
            "UPDATE jobs {SET} WHERE id IN ({PICK} coalesce((SELECT CASE WHEN paused THEN 0 \
             WHEN everywhere IS NULL THEN $2 ELSE max(0, min($2, everywhere - \
             (SELECT count(*) FROM jobs WHERE queue = $1 AND state = 'executing'))) END \
             FROM job_queues WHERE name = $1), $2)) {BACK}"
        ),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value; 5] = [queue.into(), limit.into(), now.into(), lease_until.into(), node.into()];
    let rows = store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?;
    let mut taken: Vec<Taken> = rows.iter().map(|row| taken(row, queue)).collect::<Result<_, DbErr>>()?;
    // RETURNING promises no order.
    taken.sort_unstable_by_key(|taken| match taken {
        Taken::Job(job) => (job.priority, job.scheduled_at, job.id),
        Taken::Poison { id, .. } => (0, 0, *id),
    });
    Ok(taken)
}

fn taken(row: &QueryResult, queue: &str) -> Result<Taken, DbErr> {
    let (id, attempt) = (JobId(row.try_get_by_index(0)?), count(row, 1)?);
    Ok(match read(row, queue, id, attempt) {
        Ok(job) => Taken::Job(job),
        Err(error) => Taken::Poison { id, attempt, why: format!("the row can't be read: {error}") },
    })
}

fn read(row: &QueryResult, queue: &str, id: JobId, attempt: u32) -> Result<Job, DbErr> {
    let errors: String = row.try_get_by_index(7)?;
    let failures = match errors.as_str() {
        "[]" => 0,
        // What can't be read counts as one failure: the back-off then begins anew, nothing else depends on it.
        text => serde_json::from_str::<Vec<serde::de::IgnoredAny>>(text).map_or(1, |list| list.len()),
    };
    Ok(Job {
        id,
        queue: queue.to_owned(),
        worker: row.try_get_by_index(2)?,
        args: row.try_get_by_index(3)?,
        meta: row.try_get_by_index(4)?,
        priority: u8::try_from(count(row, 5)?).unwrap_or(9),
        attempt,
        max_attempts: count(row, 6)?,
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
        scheduled_at: row.try_get_by_index(8)?,
    })
}

fn count(row: &QueryResult, index: usize) -> Result<u32, DbErr> {
    Ok(u32::try_from(row.try_get_by_index::<i32>(index)?).unwrap_or(0))
}
