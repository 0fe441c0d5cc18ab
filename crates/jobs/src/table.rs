//! The engine's statements.
//!
//! **Invariant.** A row is acknowledged only under the fence (id, attempt, node, `executing`): an attempt that has
//! lost its lease changes nothing. Every statement touches a bounded number of rows.

use sea_orm::{DbBackend, DbErr, QueryResult, Statement, Value};

use crate::job::{Job, JobId};
use crate::settle::Ack;
use crate::store::Store;

/// How many rows one statement of housekeeping touches at most.
pub(crate) const SWEEP: i64 = 1_000;

/// Takes up to `limit` available jobs of a queue for `node`, best first, and counts their attempt.
///
/// On PostgreSQL rows that another node is taking right now are skipped, not waited for. `MATERIALIZED` pins the
/// choice: a plain subquery may be evaluated again and would lock more than it returns.
pub(crate) async fn take(
    store: &dyn Store,
    queue: &str,
    node: &str,
    limit: usize,
    now: i64,
    lease_until: i64,
) -> Result<Vec<Job>, DbErr> {
    const SET: &str =
        "SET state = 'executing', attempt = attempt + 1, attempted_at = $3, lease_until = $4, node = $5";
    const BACK: &str = "RETURNING jobs.id, jobs.worker, jobs.args, jobs.priority, jobs.attempt, \
                        jobs.max_attempts, jobs.errors, jobs.scheduled_at";
    const PICK: &str = "SELECT id FROM jobs WHERE queue = $1 AND state = 'available' \
                        ORDER BY priority, scheduled_at, id LIMIT $2";
    let sql = match store.backend() {
        DbBackend::Postgres => format!(
            "WITH picked AS MATERIALIZED ({PICK} FOR UPDATE SKIP LOCKED) \
             UPDATE jobs {SET} FROM picked WHERE jobs.id = picked.id {BACK}"
        ),
        _ => format!("UPDATE jobs {SET} WHERE id IN ({PICK}) {BACK}"),
    };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let values: [Value; 5] = [queue.into(), limit.into(), now.into(), lease_until.into(), node.into()];
    let rows = store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?;
    let mut jobs: Vec<Job> =
        rows.iter().map(|row| read(row, queue, lease_until)).collect::<Result<_, DbErr>>()?;
    // RETURNING promises no order.
    jobs.sort_unstable_by_key(|job| (job.priority, job.scheduled_at, job.id));
    Ok(jobs)
}

fn read(row: &QueryResult, queue: &str, lease_until: i64) -> Result<Job, DbErr> {
    let errors: String = row.try_get_by_index(6)?;
    let failures = match errors.as_str() {
        "[]" => 0,
        // What can't be read counts as one failure: the back-off then begins anew, nothing else depends on it.
        text => serde_json::from_str::<Vec<serde::de::IgnoredAny>>(text).map_or(1, |list| list.len()),
    };
    let count = |index: usize| -> Result<u32, DbErr> {
        Ok(u32::try_from(row.try_get_by_index::<i32>(index)?).unwrap_or(0))
    };
    Ok(Job {
        id: JobId(row.try_get_by_index(0)?),
        queue: queue.to_owned(),
        worker: row.try_get_by_index(1)?,
        args: row.try_get_by_index(2)?,
        priority: u8::try_from(count(3)?).unwrap_or(9),
        attempt: count(4)?,
        max_attempts: count(5)?,
        failures: u32::try_from(failures).unwrap_or(u32::MAX),
        scheduled_at: row.try_get_by_index(7)?,
        lease_until,
    })
}

/// Appends one JSON object to the text of a JSON array, the same way on both databases.
const APPEND: &str = "CASE WHEN a.error IS NULL THEN errors WHEN errors = '[]' THEN '[' || a.error || ']' \
                      ELSE substr(errors, 1, length(errors) - 1) || ',' || a.error || ']' END";

/// Writes outcomes down; answers how many of them were still this node's to write.
pub(crate) async fn acknowledge(store: &dyn Store, node: &str, acks: &[Ack]) -> Result<usize, DbErr> {
    let source = match store.backend() {
        DbBackend::Postgres => {
            "json_to_recordset($1::json) AS a(id bigint, attempt int, state text, at bigint, ended bigint, \
             extra int, error text)"
        }
        _ => {
            "(SELECT value->>'id' AS id, value->>'attempt' AS attempt, value->>'state' AS state, \
             value->>'at' AS at, value->>'ended' AS ended, value->>'extra' AS extra, \
             value->>'error' AS error FROM json_each($1)) AS a"
        }
    };
    let sql = format!(
        "UPDATE jobs SET state = a.state, scheduled_at = COALESCE(a.at, scheduled_at), completed_at = a.ended, \
         max_attempts = max_attempts + a.extra, errors = {APPEND}, lease_until = NULL FROM {source} \
         WHERE jobs.id = a.id AND jobs.attempt = a.attempt AND jobs.node = $2 AND jobs.state = 'executing' \
         RETURNING jobs.id"
    );
    let acks = serde_json::to_string(acks).map_err(|error| DbErr::Json(error.to_string()))?;
    let values: [Value; 2] = [acks.into(), node.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

/// Makes jobs available whose time has come. Answers how many.
pub(crate) async fn stage(store: &dyn Store, now: i64) -> Result<usize, DbErr> {
    let picked = picked(
        store.backend(),
        "SELECT id FROM jobs WHERE state IN ('scheduled', 'retryable') AND scheduled_at <= $1 \
         ORDER BY scheduled_at LIMIT $2",
    );
    let sql = format!("UPDATE jobs SET state = 'available' WHERE id IN ({picked}) RETURNING id");
    let values: [Value; 2] = [now.into(), SWEEP.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

/// Takes jobs back whose lease is over: their node died or hangs. The lost attempt counts. Answers how many.
pub(crate) async fn rescue(store: &dyn Store, now: i64) -> Result<usize, DbErr> {
    let picked = picked(
        store.backend(),
        "SELECT id FROM jobs WHERE state = 'executing' AND lease_until < $1 ORDER BY lease_until LIMIT $2",
    );
    // The node's name was checked by `Options`: it needs no JSON escapes.
    let sql = format!(
        "UPDATE jobs SET state = CASE WHEN attempt >= max_attempts THEN 'discarded' ELSE 'available' END, \
         completed_at = CASE WHEN attempt >= max_attempts THEN $1 END, lease_until = NULL, \
         errors = {append} WHERE id IN ({picked}) RETURNING id",
        append = APPEND.replace("a.error IS NULL", "false").replace(
            "a.error",
            "('{\"attempt\":' || attempt || ',\"at\":' || lease_until || ',\"error\":\"the lease of node ' \
             || COALESCE(node, '?') || ' is over\"}')"
        ),
    );
    let values: [Value; 2] = [now.into(), SWEEP.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

/// Deletes jobs that ended before `before`. Answers how many.
pub(crate) async fn prune(store: &dyn Store, before: i64) -> Result<usize, DbErr> {
    let picked = picked(
        store.backend(),
        "SELECT id FROM jobs WHERE state IN ('completed', 'discarded', 'cancelled') AND completed_at < $1 \
         ORDER BY completed_at LIMIT $2",
    );
    let sql = format!("DELETE FROM jobs WHERE id IN ({picked}) RETURNING id");
    let values: [Value; 2] = [before.into(), SWEEP.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}

fn picked(backend: DbBackend, select: &str) -> String {
    match backend {
        DbBackend::Postgres => {
            format!("WITH p AS MATERIALIZED ({select} FOR UPDATE SKIP LOCKED) SELECT id FROM p")
        }
        _ => select.to_owned(),
    }
}
