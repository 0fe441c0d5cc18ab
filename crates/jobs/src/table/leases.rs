//! Keeping a lease, and taking back what was lost.
//!
//! **Invariant.** A node's leases are renewed by one statement, which also answers what is still the node's: what it
//! runs and does not find there was cancelled or given to another.

use sea_orm::{DbErr, Statement, Value};

use super::{SWEEP, append, picked};
use crate::job::JobId;
use crate::store::Store;

/// A job that is still this node's, at this attempt.
pub(crate) type Mine = (JobId, u32);

/// Renews those leases of a node that end before `before`, but for `stuck` ones; answers which.
pub(crate) async fn renew(
    store: &dyn Store,
    node: &str,
    until: i64,
    before: i64,
    stuck: &[JobId],
) -> Result<Vec<Mine>, DbErr> {
    let but = match stuck {
        [] => String::new(),
        ids => {
            let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
            format!(" AND id NOT IN ({})", ids.join(", "))
        }
    };
    let sql = format!(
        "UPDATE jobs SET lease_until = $1 WHERE node = $2 AND state = 'executing' AND lease_until < $3{but} \
         RETURNING id, attempt"
    );
    let values: [Value; 3] = [until.into(), node.into(), before.into()];
    let rows = store.run(Statement::from_sql_and_values(store.backend(), sql, values)).await?;
    rows.iter()
        .map(|row| {
            let attempt = u32::try_from(row.try_get_by_index::<i32>(1)?).unwrap_or(0);
            Ok((JobId(row.try_get_by_index(0)?), attempt))
        })
        .collect()
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
