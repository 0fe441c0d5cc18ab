//! Keeping a lease, and taking back what was lost.
//!
//! **Invariant.** A node's leases are renewed by one statement, which also answers what is still the node's: what it
//! runs and does not find there was cancelled or given to another.

use sea_orm::{DbBackend, DbErr, Statement, Value};

use super::{EXECUTING, SWEEP, append, picked};
use crate::job::JobId;
use crate::store::Store;

/// A job that is still this node's, at this attempt.
pub(crate) type Mine = (JobId, u32);

/// Renews the leases of these jobs, as far as they are still the node's; answers which are.
///
/// Only of these: rows whose taking the node never heard of (its connection broke) are nobody's and must end.
pub(crate) async fn renew(
    store: &dyn Store,
    node: &str,
    held: &[Mine],
    until: i64,
) -> Result<Vec<Mine>, DbErr> {
    let list = match store.backend() {
        DbBackend::Postgres => "SELECT value::bigint FROM json_array_elements_text($3::json)",
        _ => "SELECT value FROM json_each($3)",
    };
    let sql = format!(
        "UPDATE jobs SET lease_until = $1 WHERE id IN ({list}) AND node = $2 AND {EXECUTING} \
         RETURNING id, attempt"
    );
    let ids: Vec<i64> = held.iter().map(|(id, _)| id.0).collect();
    let values: [Value; 3] = [until.into(), node.into(), serde_json::json!(ids).to_string().into()];
    let rows = store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?;
    rows.iter()
        .map(|row| {
            let attempt = u32::try_from(row.try_get_by_index::<i32>(1)?).unwrap_or(0);
            Ok((JobId(row.try_get_by_index(0)?), attempt))
        })
        .collect()
}

/// Waits for what the database still does with this node's jobs: a renewal whose answer was given up goes on there, and
/// holds their rows, which a rescue would leave out. Changes nothing.
pub(crate) async fn settle_down(store: &dyn Store, node: &str) -> Result<(), DbErr> {
    let sql = format!("UPDATE jobs SET node = node WHERE node = $1 AND {EXECUTING} RETURNING id");
    store.run(Statement::from_sql_and_values(store.backend(), sql, [node.into()])).await.map(drop)
}

/// Takes jobs back whose lease is over: their node died or hangs. The lost attempt counts. Answers how many.
pub(crate) async fn rescue(store: &dyn Store, now: i64) -> Result<usize, DbErr> {
    let picked = picked(
        store.backend(),
        "SELECT id FROM jobs WHERE state = 'executing' AND lease_until < $1 ORDER BY lease_until LIMIT $2",
    );
    // The node's name was checked when its engine started: it needs no JSON escapes.
    let error = "('{\"attempt\":' || attempt || ',\"at\":' || lease_until || ',\"error\":\"the lease of node ' \
                 || COALESCE(node, '?') || ' is over\"}')";
    let sql = format!(
        "UPDATE jobs SET state = CASE WHEN attempt >= max_attempts THEN 'discarded' ELSE 'available' END, \
         completed_at = CASE WHEN attempt >= max_attempts THEN $1 END, lease_until = NULL, \
         errors = {append} WHERE id IN ({picked}) RETURNING id",
        append = append(error)
    );
    let values: [Value; 2] = [now.into(), SWEEP.into()];
    Ok(store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?.len())
}
